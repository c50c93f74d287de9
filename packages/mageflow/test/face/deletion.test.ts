import { once } from "node:events";
import { expect, test } from "vitest";
import { chain, GoneError, type MageFlow, type Run, swarm } from "../../src/index.ts";
import { gate } from "./gate.ts";
import { eventually } from "./eventually.ts";
import { onEachStore } from "./on-each-store.ts";

/** Waits until it is gone. */
function gone(mage: MageFlow, { id }: Run): Promise<GoneError> {
  return eventually(async () => {
    const error: unknown = await mage.get(id).catch((thrown: unknown) => thrown);
    return error instanceof GoneError ? error : null;
  });
}

onEachStore("deletion", (open, strike) => {
  test("marks a tree, shows it as marked, and can be taken back", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    await using worker = await mage.worker();
    const run = await mage.run(task, undefined, { tags: ["x"] });
    await run.settled();
    await run.delete({ after: "1h", reason: "old" });
    await run.delete({ after: "2h" });
    const { status, execution, deletion } = await run.status();
    expect([status, execution]).toEqual(["MARKED_FOR_DELETION", "SUCCEEDED"]);
    expect(deletion).toMatchObject({ reason: "old", generation: 1 });
    expect(deletion!.purgeAt - deletion!.markedAt).toBe(3_600_000);
    const other = await mage.create(task);
    expect((await mage.list({ marked: true })).items).toMatchObject([
      { id: run.id, status: "MARKED_FOR_DELETION" },
    ]);
    expect((await mage.list({ marked: false })).items.map(({ id }) => id)).toEqual([other.id]);
    await run.extend({ after: "2h" });
    expect((await run.status()).deletion!.purgeAt).toBeGreaterThan(deletion!.purgeAt);
    await run.restore();
    expect(await run.status()).toMatchObject({ status: "SUCCEEDED", deletion: null });
    expect((await mage.list({ marked: true })).items).toEqual([]);
    expect(await run.result()).toBe(1);
    const rows = await mage.audit.list({ order: "newest", limit: 2 });
    expect(rows.map(({ seq, action }) => [seq, action])).toEqual([
      [3, "restore"],
      [2, "extend"],
    ]);
    expect(await mage.audit.list({ order: "newest", after: 2 })).toMatchObject([
      { seq: 1, action: "delete" },
    ]);
    await worker.stop();
  });

  test("removes everything when its time has come, and leaves a tombstone", async () => {
    const mage = open();
    const item = mage.task("item", async ({ n }: { n: number }, ctx) => {
      ctx.log.info("line");
      await ctx.step("s", () => n);
      await ctx.checkpoint(n);
      return n;
    });
    await using worker = await mage.worker();
    const run = await mage.run(
      swarm(Array.from({ length: 600 }, (_, n) => item.with({ n }))).onSuccess(item.with({ n: 1 })),
      undefined,
      { key: "once", tags: ["t"] },
    );
    await run.settled();
    await run.delete({ after: 1, reason: "done with it" });
    const error = await gone(mage, run);
    expect(error).toMatchObject({ code: "GONE", action: "delete", reason: "done with it" });
    await expect(mage.get(`${run.id}.5`)).rejects.toThrow(GoneError);
    await expect(run.result()).rejects.toThrow(GoneError);
    await expect(run.settled()).rejects.toThrow(GoneError);
    await expect(run.rerun()).rejects.toThrow(GoneError);
    expect((await mage.list({ roots: false, root: run.id })).items).toEqual([]);
    expect((await mage.list({ tag: "t" })).items).toEqual([]);
    await eventually(async () => ((await mage.logs({ rootId: run.id })).length === 0 ? true : null));
    const again = await mage.run(item, { n: 2 }, { key: "once" });
    expect(again.id).not.toBe(run.id);
    expect(await again.result()).toBe(2);
    await worker.stop();
  });

  test("keeps how it went when that is asked for, and nothing of what it worked on", async () => {
    const mage = open({ actor: "ada" });
    const secret = "4111 1111";
    const fail = mage.task("fail", ({ card }: { card: string }, ctx) => {
      ctx.log.info(card);
      throw Object.assign(new Error(`no ${card}`), { code: "REFUSED" });
    });
    const good = mage.task("good", ({ card }: { card: string }) => card);
    await using worker = await mage.worker();
    const plan = swarm([good, good, fail], { stopAfterFailures: 0, concurrency: 1 }).onCleanup(fail);
    const runs = await Promise.all(
      [{}, {}, { retain: { failed: 1, stub: true } }, { retain: { failed: 1 } }].map((options) =>
        mage.run(plan, { card: secret }, { tags: ["cards"], ...options }),
      ),
    );
    const [deleted, purged, retained, plain] = runs as [Run, Run, Run, Run];
    const views = await Promise.all(
      runs.slice(0, 2).map(async (run) => {
        await run.settled();
        return run.view();
      }),
    );
    expect(await mage.tombstone(deleted.id)).toBeNull();
    await deleted.delete({ after: 1, stub: true });
    await purged.purgeNow({ stub: true, reason: "at once" });
    for (const run of runs) await gone(mage, run);
    const whole = { generation: 1, tags: ["cards"], errorCode: "SWARM_FAILED" };
    const counts = { total: 3, succeeded: 2, failed: 1, skipped: 0, cleanupFailed: 1 };
    for (const [n, run] of [deleted, purged].entries()) {
      const { createdAt, startedAt, finishedAt } = views[n]!;
      const tombstone = await mage.tombstone(run.id);
      const stub = { ...whole, counts, createdAt, startedAt, finishedAt };
      expect(tombstone).toMatchObject({
        id: run.id,
        kind: "swarm",
        status: "FAILED",
        action: "delete",
        by: "ada",
        stub,
      });
      expect(Object.keys(tombstone!.stub!).toSorted()).toEqual(Object.keys(stub).toSorted());
      expect(JSON.stringify(tombstone)).not.toContain(secret);
    }
    expect(await mage.tombstone(`${retained.id}.1`)).toMatchObject({
      action: "retention",
      stub: { ...whole, counts },
    });
    expect(await mage.tombstone(plain.id)).toMatchObject({ action: "retention", stub: null });
    expect(await open().tombstone("none")).toBeNull();

    const alone = await mage.run(fail, { card: secret });
    await alone.settled();
    await alone.purgeNow({ stub: true });
    expect((await mage.tombstone(alone.id))!.stub).toMatchObject({
      errorCode: "REFUSED",
      counts: { total: 0 },
    });
    const cancelled = await mage.create(good, { retain: { failed: 1, stub: true } });
    await cancelled.delete({ after: "1h", stub: true });
    await (await cancelled.planCancel()).confirm();
    await gone(mage, cancelled);
    expect(await mage.tombstone(cancelled.id)).toMatchObject({
      action: "cancel",
      status: "CANCELLED",
      stub: null,
    });
    await expect(alone.delete({ after: 1, stub: 1 as never })).rejects.toThrow(
      "stub is 1; give true or false",
    );
    await worker.stop();
  });

  test("at once tells who did it and why, and has what its mark says where nothing else is said", async () => {
    const [ada, bob] = [open({ actor: "ada" }), open({ actor: "bob" })];
    const task = ada.task("task", () => 1);
    await using worker = await ada.worker();
    const removals = [
      [{ reason: "second", stub: true }, "second", expect.anything()],
      [{}, "first", null],
    ] as const;
    for (const [options, reason, stub] of removals) {
      const run = await ada.run(task);
      await run.settled();
      await run.delete({ after: "1h", reason: "first" });
      await (await bob.get(run.id)).purgeNow(options);
      expect(await bob.tombstone(run.id)).toMatchObject({ by: "bob", reason, stub });
    }
    await worker.stop();
  });

  test("is told to those who read on in what is removed, and to those who begin to", async () => {
    const mage = open();
    const item = mage.task("item", () => 1);
    await using worker = await mage.worker();
    const run = await mage.run(swarm(Array.from({ length: 600 }, () => item)));
    await run.settled();
    const { next } = await run.children({ limit: 10 });
    const results = run.results();
    await results.next();
    await run.purgeNow();
    const readOn = async () => {
      for await (const _ of results);
    };
    await expect(readOn()).rejects.toThrow(GoneError);
    await expect(run.children({ cursor: next! })).rejects.toThrow(GoneError);
    await expect(run.callbacks()).rejects.toThrow(GoneError);
    await worker.stop();
  });

  test("lets what runs go on to its end, with callbacks and cleanup, before it is removed", async () => {
    const mage = open();
    const done: string[] = [];
    const started = gate();
    const finish = gate();
    const note = mage.task("note", (_input: unknown, ctx) => void done.push(ctx.signature.role));
    const first = mage.task("first", async () => {
      started.open();
      await finish.opened;
    });
    const second = mage.task("second", () => void done.push("second"));
    await using worker = await mage.worker();
    const run = await mage.run(chain([first, second]).onSuccess(note).onCleanup(note));
    await started.opened;
    await run.delete({ after: 1 });
    expect((await run.status()).status).toBe("MARKED_FOR_DELETION");
    finish.open();
    await gone(mage, run);
    expect(done).toEqual(["second", "success", "cleanup"]);
    await worker.stop();
  });

  test("of what has not started keeps it from starting until it is restored", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const run = await mage.run(task, undefined, { delay: 30 });
    await run.delete({ after: "1h" });
    await using worker = await mage.worker();
    const execution = await eventually(async () => {
      const status = await run.status();
      return status.execution === "WAITING" ? null : status;
    });
    expect(execution).toMatchObject({ status: "MARKED_FOR_DELETION", execution: "PENDING" });
    await run.restore();
    expect(await run.result()).toBe(1);
    await worker.stop();
  });

  test("is for roots only, and purgeNow for what is not open", async () => {
    const mage = open();
    const hold = gate();
    const started = gate();
    const task = mage.task("task", async () => {
      started.open();
      await hold.opened;
    });
    await using worker = await mage.worker();
    const run = await mage.run(chain([task]));
    await started.opened;
    const step = await mage.get(`${run.id}.0`);
    const refused: [string, () => Promise<unknown>][] = [
      ["delete", () => step.delete({ after: 1 })],
      ["restore", () => step.restore()],
      ["extend the deletion of", () => step.extend({ after: 1 })],
      ["purge", () => step.purgeNow()],
      ["cancel", () => step.planCancel()],
      ["rerun", () => step.rerun()],
    ];
    for (const [verb, refuse] of refused) {
      const message = expect.stringMatching(`^cannot ${verb} "${step.id}" .*root.* "${run.id}"`);
      await expect(refuse()).rejects.toThrow(
        expect.objectContaining({ code: "ILLEGAL_TRANSITION", message }),
      );
    }
    await expect(run.purgeNow()).rejects.toThrow(expect.objectContaining({ code: "ILLEGAL_TRANSITION" }));
    expect((await run.status()).deletion).toBeNull();
    hold.open();
    await run.settled();
    await run.purgeNow({ reason: "now" });
    await expect(mage.get(run.id)).rejects.toThrow(
      expect.objectContaining({ action: "delete", reason: "now" }),
    );
    await worker.stop();
  });

  test("names a callback that was stopped and keeps an ended workflow open, which resuming it or a cancel ends", async () => {
    const mage = open();
    const started = [gate(), gate()];
    let n = 0;
    const note = mage.task("note", async (_input: unknown, ctx) => {
      started[n++]?.open();
      if (ctx.generation === 1) await once(ctx.signal, "abort");
    });
    const plan = mage.task("task", () => 1).onSuccess(chain([note], { name: "notes" }));
    await using worker = await mage.worker();
    const [resumed, cancelled] = [await mage.run(plan), await mage.run(plan)];
    for (const { opened } of started) await opened;
    for (const run of [resumed, cancelled]) {
      const stopped = await mage.get(`${run.id}.success0.0`);
      await expect(run.purgeNow()).rejects.toThrow(
        `cannot purge "${run.id}" while it is SUCCEEDED; open inside it: "${run.id}.success0" (notes, RUNNING), "${stopped.id}" (note, RUNNING); wait for settled(), `,
      );
      await stopped.interrupt({ grace: 0 });
      await expect(run.purgeNow()).rejects.toThrow(
        expect.objectContaining({
          code: "ILLEGAL_TRANSITION",
          message: expect.stringContaining(
            `; open inside it: "${stopped.id}" (note, INTERRUPTED), "${run.id}.success0" (notes, RUNNING); resume what was stopped, `,
          ),
        }),
      );
      expect((await run.status()).open).toEqual([
        { id: stopped.id, name: "note", status: "INTERRUPTED" },
        { id: `${run.id}.success0`, name: "notes", status: "RUNNING" },
      ]);
    }
    await (await mage.get(`${resumed.id}.success0.0`)).resume();
    expect(await resumed.settled()).toMatchObject({ status: "SUCCEEDED" });
    expect((await resumed.status()).open).toEqual([]);
    await resumed.purgeNow();
    await (await cancelled.planCancel()).confirm();
    await gone(mage, cancelled);
    await worker.stop();
  });

  test("waits for the cleanups of what was interrupted in a workflow that has not started", async () => {
    const mage = open();
    const tidied: string[] = [];
    const tidy = (name: string) => mage.task(name, () => void tidied.push(name));
    const task = mage
      .task("task", () => 1)
      .onCleanup(tidy("second"))
      .onCleanup(tidy("first"));
    const run = await mage.create(chain([task]));
    await (await mage.get(`${run.id}.0`)).interrupt();
    await expect(run.purgeNow()).rejects.toThrow(expect.objectContaining({ code: "ILLEGAL_TRANSITION" }));
    await run.delete({ after: 1 });
    await using worker = await mage.worker();
    await gone(mage, run);
    expect(tidied).toEqual(["first", "second"]);
    await worker.stop();
  });

  test("at a local time, which daylight saving may skip or repeat", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    await run.delete({ at: "2099-03-08T02:30", timeZone: "America/New_York" });
    expect(new Date((await run.status()).deletion!.purgeAt).toISOString()).toBe("2099-03-08T07:30:00.000Z");
    await run.extend({ at: "2099-11-01T01:30", timeZone: "America/New_York" });
    expect(new Date((await run.status()).deletion!.purgeAt).toISOString()).toBe("2099-11-01T05:30:00.000Z");
    await expect(run.extend({ at: "2099-11-01T01:30" })).rejects.toThrow("add a timeZone");
    await expect(run.extend({})).rejects.toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });

  test("is left to those who work on the store: who only looks changes nothing in it", async () => {
    const before = open();
    const { id } = await before.create(before.task("task", () => 1));
    await (await before.get(id)).delete({ after: "1h" });
    await before.close();
    await strike(async (tx) => {
      const [root] = (await tx.lock([id], { wait: true })).records;
      await tx.write({ update: [{ ...root!, deletion: { ...root!.deletion!, purgeAt: 1 } }] });
    });
    const looking = open();
    looking.task("task", () => 1);
    const run = await looking.get(id);
    await Promise.all([run.view(), run.status(), run.children(), run.callbacks(), run.logs()]);
    await Promise.all([looking.list(), looking.logs(), looking.workers(), looking.unhandled()]);
    await Promise.all([looking.audit.list(), looking.audit.verify(), looking.resumeReports()]);
    for await (const breach of looking.verify()) expect.fail(JSON.stringify(breach));
    await looking.close();
    let left = 0;
    await strike(async (tx) => void (left = (await tx.read([id])).length));
    expect(left).toBe(1);
    const working = open();
    await working.reconcile();
    await expect(working.get(id)).rejects.toThrow(expect.objectContaining({ action: "delete" }));
  });

  test("by retention, per outcome and per task", async () => {
    const mage = open();
    const good = mage.task("good", { retain: { succeeded: 1 } }, () => 1);
    const bad = mage.task("bad", { retain: { succeeded: 1 } }, () => {
      throw new Error("no");
    });
    await using worker = await mage.worker();
    const [ok, failed] = [await mage.run(good), await mage.run(bad)];
    await failed.settled();
    expect(await gone(mage, ok)).toMatchObject({ action: "retention" });
    expect(await failed.status()).toMatchObject({ status: "FAILED", deletion: null });
    await worker.stop();
  });

  test("by retention of a plan, else of its kind, else of all, each outcome by itself", async () => {
    const mage = open({ retain: { failed: 1, task: { succeeded: 1 } } });
    const fails = (): never => {
      throw new Error("no");
    };
    const plans = [
      mage.task("good", () => 1),
      mage.task("bad", fails),
      mage.task("kept", { retain: { succeeded: "1h" } }, () => 1),
      mage.task("gone", { retain: { succeeded: "1h" } }, fails),
    ];
    await using worker = await mage.worker();
    const [good, bad, kept, lost] = await Promise.all(plans.map((plan) => mage.run(plan)));
    for (const run of [good!, bad!, lost!]) await gone(mage, run);
    await kept!.settled();
    const { deletion } = await kept!.status();
    expect(deletion!.purgeAt - deletion!.markedAt).toBe(3_600_000);
    await worker.stop();
  });

  test("tells the audit trail until when, and a rerun which generation begins", async () => {
    const mage = open();
    await using worker = await mage.worker();
    const run = await mage.run(mage.task("task", () => 1));
    await run.settled();
    await run.delete({ at: FAR });
    await run.extend({ at: FAR + 1 });
    await run.rerun();
    const rows = await mage.audit.list();
    expect(rows.map(({ action, details }) => [action, details])).toEqual([
      ["delete", { purgeAt: FAR }],
      ["extend", { purgeAt: FAR + 1 }],
      ["rerun", { message: false, generation: 2 }],
    ]);
    await worker.stop();
  });
});

/** An instant far ahead. */
const FAR = Date.parse("2100-01-01T00:00:00Z");
