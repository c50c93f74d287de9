import { once } from "node:events";
import { expect, test } from "vitest";
import {
  CancelledError,
  chain,
  GoneError,
  type MageFlow,
  type MageFlowError,
  swarm,
} from "../../src/index.ts";
import { eventually } from "./eventually.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

const stale = expect.objectContaining({ code: "STALE_CONFIRMATION" });

onEachStore("cancel", (open, strike) => {
  test("counts log lines up to a bound, and tells that there are more", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    const line = { id: run.id, rootId: run.id, generation: 1, attempt: 1, at: 1, fields: null } as const;
    const write = (count: number) =>
      strike((tx) =>
        tx.write({ logs: Array.from({ length: count }, () => ({ ...line, level: "info", message: "m" })) }),
      );
    await write(10_000);
    expect((await run.planCancel()).impact).toMatchObject({ logs: 10_000, moreLogs: false });
    await write(1);
    expect((await run.planCancel()).impact).toMatchObject({ logs: 10_000, moreLogs: true });
  });

  test("stops what runs, cleans up, fires no other callback, removes all and leaves a trace", async () => {
    const mage = open();
    const seen: string[] = [];
    const started = gate();
    const note = mage.task(
      "note",
      (_input: unknown, ctx) => void seen.push(`${ctx.signature.role} ${ctx.cause!.name}`),
    );
    const long = mage.task("long", async (_input: unknown, ctx) => {
      ctx.log.info("under way");
      started.open();
      await new Promise((_resolve, reject) => {
        ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason as Error));
      });
    });
    const item = chain([long.onCleanup(note)], { name: "item" })
      .onCleanup(note)
      .onSuccess(note)
      .onError(note);
    const all = swarm([item, item, item], { name: "all", concurrency: 1, onItemError: note });
    await using worker = await mage.worker();
    const run = await mage.run(all.onCleanup(note).onError(note), undefined, { key: "k" });
    await started.opened;
    const plan = await run.planCancel();
    expect(plan.impact).toMatchObject({ descendants: 6, running: 3, callbacks: 0 });
    expect(await run.status()).toMatchObject({ status: "RUNNING" });
    const result = run.result().catch((error: unknown) => error);
    await plan.confirm({ reason: "wrong input" });
    expect(await result).toBeInstanceOf(CancelledError);
    expect(await run.settled()).toMatchObject({ status: "CANCELLED" });
    const gone = await eventually(async () => {
      const error: unknown = await mage.get(run.id).catch((thrown: unknown) => thrown);
      return error instanceof GoneError ? error : null;
    });
    expect(gone).toMatchObject({ action: "cancel", reason: "wrong input" });
    expect(seen).toEqual(["cleanup long", "cleanup item", "cleanup all"]);
    await expect(run.result()).rejects.toThrow(CancelledError);
    expect(await run.settled()).toEqual({ id: run.id, status: "CANCELLED" });
    expect((await mage.list({ roots: false, root: run.id })).items).toEqual([]);
    await eventually(async () => ((await mage.logs({ rootId: run.id })).length === 0 ? true : null));
    await plan.confirm();
    const rows = await mage.audit.list();
    expect(rows).toMatchObject([{ seq: 1, action: "cancel", target: run.id, reason: "wrong input" }]);
    expect(rows[0]!.details).toMatchObject({ name: "all", generation: 1, descendants: 6 });
    expect(await mage.audit.verify()).toEqual({ ok: true });
    await worker.stop();
  });

  test("needs a confirmation that fits: of this life of it, and no older than its last growth", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const run = await mage.run(swarm([task], { open: true }));
    const plan = await run.planCancel();
    await run.addTasks([task]);
    await expect(plan.confirm()).rejects.toThrow(stale);
    await expect(mage.confirmCancel("no such token")).rejects.toThrow(stale);
    expect(await run.status()).toMatchObject({ execution: "RUNNING" });
    const { token } = await run.planCancel();
    await using worker = await mage.worker();
    await run.close();
    await run.settled();
    await run.rerun();
    await expect(open().confirmCancel(token)).rejects.toThrow(stale);
    await worker.stop();
  });

  test("may be confirmed while callbacks of it go on to fire", async () => {
    const mage = open();
    const note = mage.task("note", () => {});
    const [reached, finish] = [gate(), gate()];
    const last = mage.task("last", async () => {
      reached.open();
      await finish.opened;
    });
    const step = mage.task("step", () => 1);
    const run = await mage.run(chain([chain([step]).onSuccess(swarm([note])), last]));
    const plan = await run.planCancel();
    await using worker = await mage.worker();
    await reached.opened;
    expect((await run.planCancel()).impact.descendants).toBe(plan.impact.descendants + 2);
    await plan.confirm();
    finish.open();
    expect(await run.settled()).toMatchObject({ status: "CANCELLED" });
    await worker.stop();
  });

  test("lets no task in it start anything more, but its cleanups do", async () => {
    const mage = open();
    const [reached, go] = [gate(), gate()];
    const seen: string[] = [];
    const child = mage.task("child", (_input: unknown, ctx) => void seen.push(ctx.signature.tags.join()));
    const step = mage.task("step", async (_input: unknown, ctx) => {
      reached.open();
      await go.opened;
      await ctx
        .run(child, {}, { tags: ["step"] })
        .catch((error: unknown) => seen.push((error as Error).name));
    });
    const clean = mage.task("clean", async (_input: unknown, ctx) => {
      await (await ctx.run(child, {}, { tags: ["cleanup"] })).result();
    });
    await using worker = await mage.worker();
    const run = await mage.run(chain([chain([step])]).onCleanup(clean));
    await reached.opened;
    await (await run.planCancel()).confirm();
    go.open();
    await run.settled();
    expect(seen).toEqual(["CancelledError", "cleanup"]);
    await worker.stop();
  });

  test("from another process, by the token; of what never started, and of what has ended", async () => {
    const mage = open();
    const cleaned: string[] = [];
    const clean = mage.task("clean", (_input: unknown, ctx) => void cleaned.push(ctx.cause!.name));
    const task = mage.task("task", () => 1);
    await using worker = await mage.worker();
    const [waiting, ended] = [await mage.create(task.onCleanup(clean)), await mage.run(task)];
    await ended.settled();
    for (const run of [waiting, ended]) {
      const { token } = await run.planCancel();
      await open().confirmCancel(token, { reason: "away with it" });
      await eventually(async () => {
        const error: unknown = await mage.get(run.id).catch((thrown: unknown) => thrown);
        return error instanceof GoneError ? error : null;
      });
    }
    expect(cleaned).toEqual(["task"]);
    await worker.stop();
  });

  test("of what has succeeded is told by all who ask for the outcome, before it is removed and after", async () => {
    const mage = open();
    const started = gate();
    const finish = gate();
    const hold = mage.task("hold", async () => {
      started.open();
      await finish.opened;
      return "held";
    });
    const task = mage.task("task", () => 1);
    const worker = await mage.worker();
    const run = await mage.run(chain([task]).onSuccess(task).onCleanup(hold));
    await started.opened;
    const parts = [run, await mage.get(`${run.id}.0`), await mage.get(`${run.id}.success0`)];
    for (const part of parts) expect(await part.result()).toBe(1);
    const cleanup = await mage.get(`${run.id}.cleanup0`);
    const tellCancelled = async () => {
      for (const part of parts) {
        await expect(part.result()).rejects.toMatchObject({
          code: "CANCELLED",
          message: expect.stringContaining("wrong input"),
        });
        expect(await part.settled()).toEqual({ id: part.id, status: "CANCELLED" });
      }
    };
    const settled = run.settled();
    await (await run.planCancel()).confirm({ reason: "wrong input" });
    expect(await run.status()).toMatchObject({ execution: "SUCCEEDED" });
    await expect(run.result()).rejects.toThrow(CancelledError);
    const held = cleanup.result();
    finish.open();
    expect(await held).toBe("held");
    expect(await settled).toEqual({ id: run.id, status: "CANCELLED" });
    await tellCancelled();
    await eventually(async () => ((await mage.tombstone(run.id)) === null ? null : true));
    await tellCancelled();
    await worker.stop();
  });

  test("again with a shorter grace gives up sooner what runs", async () => {
    const mage = open();
    const started = gate();
    const finish = gate();
    const deaf = mage.task("deaf", async () => {
      started.open();
      await finish.opened;
    });
    await using worker = await mage.worker();
    const run = await mage.run(chain([deaf]));
    await started.opened;
    const { token } = await run.planCancel();
    await mage.confirmCancel(token, { grace: "1h" });
    await mage.confirmCancel(token, { grace: "2h" });
    expect((await mage.audit.list()).map(({ action }) => action)).toEqual(["cancel"]);
    await open().confirmCancel(token, { grace: 50, reason: "no time" });
    expect(await run.settled()).toMatchObject({ status: "CANCELLED" });
    expect((await mage.audit.list())[1]).toMatchObject({
      action: "hasten",
      target: run.id,
      reason: "no time",
    });
    finish.open();
    await worker.stop();
  });

  test("of all that fit a filter, by one confirmation", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const runs = await Promise.all([1, 2, 3].map(() => mage.create(task, { tags: ["old"] })));
    const kept = await mage.create(task);
    const plan = await mage.planCancel({ tag: "old", status: "PENDING" });
    expect(plan.targets.map(({ id }) => id).toSorted()).toEqual(runs.map(({ id }) => id).toSorted());
    await expect(mage.confirmCancel(plan.token, { target: runs[0]!.id })).rejects.toThrow(
      / and 2 more, not for /,
    );
    expect(plan.impact).toMatchObject({ workflows: 3, descendants: 0, running: 0 });
    await plan.confirm();
    for (const run of runs) expect(await run.settled()).toMatchObject({ status: "CANCELLED" });
    expect(await kept.status()).toMatchObject({ status: "PENDING" });
    expect((await mage.audit.list()).map(({ target }) => target).toSorted()).toEqual(
      runs.map(({ id }) => id).toSorted(),
    );
  });

  test("frees its key at once, while it still stops and cleans up, and whoever asks at that moment has one of the two", async () => {
    const mage = open();
    const started = gate();
    const cleanup = gate();
    const clean = mage.task("clean", () => cleanup.opened);
    let runs = 0;
    const task = mage.task("task", async ({ n }: { n: number }, ctx) => {
      if (++runs > 1) return n;
      started.open();
      return new Promise<never>((_resolve, reject) => {
        ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason as Error));
      });
    });
    await using worker = await mage.worker();
    const first = await mage.run(task.onCleanup(clean), { n: 1 }, { key: "k" });
    await started.opened;
    const plan = await first.planCancel();
    const again = () => mage.run(task, { n: 1 }, { key: "k" });
    const other = open();
    const elsewhere = other.task("task", ({ n }: { n: number }) => n);
    const [, ...found] = await Promise.all([
      plan.confirm(),
      again(),
      other.run(elsewhere, { n: 1 }, { key: "k" }),
      again(),
    ]);
    const second = await again();
    expect(second.id).not.toBe(first.id);
    for (const { id } of found) expect([first.id, second.id]).toContain(id);
    expect(await second.result()).toBe(1);
    expect((await again()).id).toBe(second.id);
    // The first one is still there: its cleanup has not ended.
    expect(await first.view()).toMatchObject({ execution: "CANCELLED", key: null });
    cleanup.open();
    await eventually(() =>
      mage.get(first.id).then(
        () => null,
        (error: unknown) => error,
      ),
    );
    expect((await again()).id).toBe(second.id);
    await worker.stop();
  });

  test("names what it is for, and is refused for anything else", async () => {
    const mage = open();
    const [wanted, other] = [
      await mage.create(mage.task("old", () => 1)),
      await mage.create(mage.task("new", () => 1)),
    ];
    const plan = await wanted.planCancel();
    expect(plan.targets).toEqual([{ id: wanted.id, name: "old" }]);
    const mistaken = open().confirmCancel(plan.token, { target: other.id });
    await expect(mistaken).rejects.toThrow(stale);
    await expect(mistaken).rejects.toThrow(
      `the confirmation is for "old" (${wanted.id}), not for "${other.id}"; plan the cancellation again`,
    );
    expect([await wanted.status(), await other.status()]).toMatchObject([
      { status: "PENDING" },
      { status: "PENDING" },
    ]);
    await open().confirmCancel(plan.token, { target: wanted.id });
    expect(await wanted.settled()).toMatchObject({ status: "CANCELLED" });
    expect(await other.status()).toMatchObject({ status: "PENDING" });
  });

  test("counts a large workflow page by page, and lets others have their turns meanwhile", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const run = await mage.create(swarm(Array.from({ length: 5_000 }, () => task)));
    let turns = 0;
    let counting = true;
    const count = (): void => {
      turns++;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    const plan = await run.planCancel();
    expect(turns).toBeGreaterThanOrEqual(10);
    turns = 0;
    await plan.confirm();
    expect(turns).toBeGreaterThanOrEqual(10);
    counting = false;
    expect(plan.impact.descendants).toBe(5_000);
  });

  test("is refused when something grows that has been counted already", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const inner = swarm([task], { open: true });
    const run = await mage.run(swarm([inner, ...Array.from({ length: 5_000 }, () => task)]));
    const first = await mage.get(`${run.id}.0`);
    const plan = await run.planCancel();
    const refusal = plan.confirm().catch((error: unknown) => error);
    for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
    await first.addTasks([task]);
    expect(await refusal).toEqual(stale);
    expect(await run.status()).toMatchObject({ execution: "RUNNING" });
    await (await run.planCancel()).confirm();
    expect(await run.settled()).toMatchObject({ status: "CANCELLED" });
  });

  test("sees growth in one with more open swarms than one transaction can look at", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const inner = swarm([task], { open: true });
    const run = await mage.create(swarm(Array.from({ length: 1_001 }, () => inner)));
    const last = await open().get(`${run.id}.1000`);
    const plan = await run.planCancel();
    await last.addTasks([task]);
    await expect(plan.confirm()).rejects.toThrow(stale);
    const second = await run.planCancel();
    // Nobody adds to it while it is counted for the last time: it is either told of, or not there.
    let over = false;
    const confirmed = second
      .confirm()
      .then(
        () => "cancelled",
        (error: unknown) => (error as MageFlowError).code,
      )
      .finally(() => (over = true));
    let added = 0;
    let refused = "";
    while (!over && refused === "") {
      await last.addTasks([task]).then(
        () => added++,
        (error: unknown) => (refused = (error as MageFlowError).code),
      );
    }
    expect(added === 0 ? "cancelled" : "STALE_CONFIRMATION").toBe(await confirmed);
    expect(["", "LOCKED", "SWARM_CLOSED", "NOT_FOUND", "GONE"]).toContain(refused);
    if (added === 0) return;
    expect((await run.status()).locks).toEqual([]);
    await (await run.planCancel()).confirm();
    expect(await run.settled()).toMatchObject({ status: "CANCELLED" });
  });

  test("lets nothing in it grow any more, but what its cleanups made", async () => {
    const mage = open();
    const [cleaning, finish] = [gate(), gate()];
    const task = mage.task("task", () => 1);
    const clean = mage.task("clean", async () => {
      cleaning.open();
      await finish.opened;
    });
    const plan = chain([task, swarm([], { open: true })]).onCleanup(
      chain([clean, swarm([task], { open: true })]),
    );
    const run = await mage.create(plan);
    await using worker = await mage.worker({ tasks: ["clean"] });
    await (await run.planCancel()).confirm();
    await cleaning.opened;
    const closed = expect.objectContaining({ code: "SWARM_CLOSED" });
    await expect((await mage.get(`${run.id}.1`)).addTasks([task])).rejects.toThrow(closed);
    expect(await (await mage.get(`${run.id}.cleanup0.1`)).addTasks([task])).toHaveLength(1);
    finish.open();
    await worker.stop();
  });

  test("is ended by purgeNow when a cleanup does not end, whose code is told and then given up", async () => {
    const mage = open({ actor: "ada" });
    const signals: string[] = [];
    const [listening, reached, finish] = [gate(), gate(), gate()];
    const heeds = mage.task("heeds", async (_input: unknown, { signal }) => {
      listening.open();
      await once(signal, "abort");
      signals.push((signal.reason as Error).name);
      throw signal.reason;
    });
    const late: unknown[] = [];
    const deaf = mage.task("deaf", async (_input: unknown, ctx) => {
      reached.open();
      await finish.opened;
      await ctx.checkpoint(1).catch((error: unknown) => late.push(error));
    });
    const task = mage.task("task", () => 1);
    await using worker = await mage.worker();
    const runs = [
      await mage.create(task.onCleanup(heeds)),
      await mage.create(chain([task]).onCleanup(chain([deaf.onCleanup(task)]))),
    ];
    for (const run of runs) await (await run.planCancel()).confirm({ reason: "wrong input" });
    await Promise.all([listening.opened, reached.opened]);
    await expect(runs[1]!.purgeNow()).rejects.toThrow(
      `"${runs[1]!.id}.cleanup0.0" (deaf, RUNNING); wait for its cleanups, or give them up with abandonCleanups`,
    );
    for (const run of runs) await run.purgeNow({ abandonCleanups: true, reason: "it hangs" });
    for (const run of runs) {
      expect(await mage.tombstone(run.id)).toMatchObject({ action: "cancel", reason: "wrong input" });
      await expect(run.result()).rejects.toThrow(CancelledError);
    }
    expect(signals).toEqual(["InterruptedError"]);
    const row = (await mage.audit.list())[2]!;
    expect(row).toMatchObject({ action: "purge", actor: "ada", target: runs[0]!.id, reason: "it hangs" });
    const abandoned = [{ id: `${runs[0]!.id}.cleanup0`, name: "heeds", status: "RUNNING" }];
    expect(row.details).toEqual({ abandoned });
    finish.open();
    await eventually(async () => (late.length > 0 ? true : null));
    expect(late).toEqual([expect.objectContaining({ code: "LEASE_LOST" })]);
    await worker.stop();
  });

  test.for(["unknown", "interrupted", "suspended"])(
    "is ended by purgeNow when a cleanup is %s, and what runs has stopped",
    async (state) => {
      const mage = open();
      const [started, finish] = [gate(), gate()];
      const task = mage.task("task", async () => {
        started.open();
        await finish.opened;
      });
      const clean = mage.task("clean", () => 1);
      const run = await mage.run(chain([task]).onCleanup(clean), undefined, { key: "k" });
      await using worker = await mage.worker({ tasks: ["task"] });
      await started.opened;
      await expect(run.purgeNow({ abandonCleanups: true })).rejects.toThrow("or cancel the workflow");
      const plan = await run.planCancel();
      await plan.confirm({ grace: "1h" });
      await expect(run.purgeNow({ abandonCleanups: true })).rejects.toThrow(
        `"${run.id}.0" has its grace to stop; wait for it, or confirm the cancellation again with a shorter one`,
      );
      await plan.confirm({ grace: 0 });
      const cleanup = await mage.get(`${run.id}.cleanup0`);
      await eventually(async () => ((await cleanup.view()).status === "READY" ? true : null));
      if (state === "interrupted") await cleanup.interrupt();
      if (state === "suspended") await cleanup.suspend();
      await expect(run.purgeNow()).rejects.toThrow("give them up with abandonCleanups");
      await run.purgeNow({ abandonCleanups: true });
      await expect(mage.get(run.id)).rejects.toThrow(GoneError);
      expect(await run.settled()).toMatchObject({ status: "CANCELLED" });
      finish.open();
      await worker.stop();
    },
  );

  test("of a step is refused", async () => {
    const mage = open();
    const run = await mage.run(chain([mage.task("task", () => 1)]));
    const illegal = expect.objectContaining({ code: "ILLEGAL_TRANSITION" });
    await expect((await mage.get(`${run.id}.0`)).planCancel()).rejects.toThrow(illegal);
  });
});

/** Why it is not there, as soon as it is not. */
async function gone(mage: MageFlow, id: string): Promise<unknown> {
  return eventually(() =>
    mage.get(id).then(
      () => null,
      (error: unknown) => error,
    ),
  );
}

onEachStore("lock", (open) => {
  const locked = expect.objectContaining({ code: "LOCKED" });

  test("keeps others from every verb and from starting it, until it is released", async () => {
    const mage = open();
    const other = open();
    const task = mage.task("task", () => 1);
    const run = await mage.create(task);
    const theirs = await other.get(run.id);
    const free = await mage.create(task);
    const cancelling = await theirs.planCancel();
    const both = await other.planCancel({ status: "PENDING" });
    const lock = await run.lock({ for: "1m" });
    const before = await run.view();
    for (const verb of [
      () => theirs.start(),
      () => theirs.suspend(),
      () => theirs.resume(),
      () => theirs.interrupt(),
      () => cancelling.confirm(),
      () => both.confirm(),
      () => other.confirmCancel(cancelling.token),
      () => theirs.delete({ after: 1 }),
      () => theirs.restore(),
      () => theirs.extend({ after: 1 }),
      () => theirs.purgeNow(),
      () => theirs.rerun(),
      () => theirs.lock(),
      () => theirs.addTasks([task]),
      () => theirs.close(),
      () => other.batch((edits) => edits.set(theirs, { priority: 1 })),
      () => mage.batch((edits) => edits.set({ id: run.id }, { priority: 1 })),
    ]) {
      await expect(verb()).rejects.toThrow(locked);
    }
    expect(await run.view()).toEqual(before);
    // All that was planned together, or none of it.
    expect(await free.status()).toMatchObject({ status: "PENDING" });
    expect(await mage.audit.list()).toEqual([]);
    await mage.batch((edits) => edits.set(run, { priority: 7 }));
    expect((await run.view()).priority).toBe(7);
    await using worker = await mage.worker();
    await run.start();
    await run.suspend();
    await run.resume();
    expect((await run.view()).startedAt).toBeNull();
    await lock.release();
    expect(await theirs.result()).toBe(1);
    await worker.stop();
  });

  test("keeps what is due from being removed, until it ends", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    const lock = await run.lock({ for: "1h" });
    await run.delete({ after: 1 });
    // A round that comes after it is due has put it off.
    await eventually(async () => ((await run.status()).deletion!.purgeAt === lock.until ? true : null));
    expect(await run.view()).toMatchObject({ status: "MARKED_FOR_DELETION" });
    await lock.release();
    expect(await gone(mage, run.id)).toBeInstanceOf(GoneError);
  });

  test("puts off what its holder has cancelled, until it is given back", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    const lock = await run.lock({ for: "1h" });
    await (await run.planCancel()).confirm();
    await lock.release();
    expect(await gone(mage, run.id)).toBeInstanceOf(GoneError);
  });

  test("makes a start wait, for its new end when its holder locks again", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    await using worker = await mage.worker();
    await run.lock({ for: "1h" });
    await run.start();
    await run.lock({ for: "30m" });
    await run.lock({ for: 1 });
    expect(await run.result()).toBe(1);
    await worker.stop();
  });

  test("expires", async () => {
    const mage = open();
    const run = await mage.run(mage.task("task", () => 1));
    await run.lock({ for: 1 });
    const theirs = await open().get(run.id);
    await eventually(() =>
      theirs.suspend().then(
        () => true,
        () => null,
      ),
    );
    expect(await run.status()).toMatchObject({ status: "SUSPENDED" });
  });

  test("lets what runs end", async () => {
    const mage = open();
    const started = gate();
    const finish = gate();
    const task = mage.task("task", async () => {
      started.open();
      await finish.opened;
      return 1;
    });
    await using worker = await mage.worker();
    const run = await mage.run(task);
    await started.opened;
    await using lock = await run.lock();
    finish.open();
    expect(await run.result()).toBe(1);
    await expect((await open().get(run.id)).delete({ after: 1 })).rejects.toThrow(locked);
    await lock.release();
    await worker.stop();
  });
});

onEachStore("batch", (open) => {
  test("edits many that have not started, all or none", async () => {
    const editor = open();
    const order: number[] = [];
    const task = editor.task("task", ({ n }: { n: number }) => void order.push(n));
    const runs = await Promise.all([1, 2, 3].map((n) => editor.create(task.with({ n }))));
    await editor.batch((edits) => {
      edits.set(runs[0]!, { priority: 1, tags: ["first"] });
      edits.set(runs[1]!, { with: { n: 20 }, priority: 3 });
      edits.set(runs[2]!, { priority: 2 });
    });
    expect((await editor.list({ tag: "first" })).items.map(({ id }) => id)).toEqual([runs[0]!.id]);
    await expect(
      editor.batch((edits) => {
        edits.set(runs[0]!, { priority: 9 });
        edits.set({ id: "none" }, { priority: 9 });
      }),
    ).rejects.toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
    for (const run of runs) await run.start();
    // Whatever brings tasks knows of all of them before there is a worker.
    await editor.close();
    const mage = open();
    mage.task("task", ({ n }: { n: number }) => void order.push(n));
    await using worker = await mage.worker({ concurrency: 1 });
    for (const { id } of runs) await (await mage.get(id)).settled();
    expect(order).toEqual([20, 3, 1]);
    await expect(mage.batch((edits) => edits.set(runs[0]!, { priority: 1 }))).rejects.toThrow(
      expect.objectContaining({ code: "ILLEGAL_TRANSITION" }),
    );
    await worker.stop();
  });

  test("changes all that there is to change, at once, or nothing when one of them has begun", async () => {
    const mage = open();
    const seen: string[] = [];
    const note = mage.task(
      "note",
      (_input: unknown, ctx) => void seen.push(`${ctx.signature.role} of ${ctx.cause!.name}`),
    );
    const good = mage.task("good", ({ n }: { n: number }) => n);
    const bad = mage.task("bad", () => {
      throw new Error("no");
    });
    const begun = mage.task("begun", () => 1);
    await using other = await mage.worker({ tasks: ["begun"] });
    const runs = [
      await mage.create(good.with({ n: 1 })),
      await mage.create(bad),
      await mage.run(begun),
    ] as const;
    await runs[2].result();
    const edit = { priority: 3, tags: ["edited"], onSuccess: note, onError: note, onCleanup: note };
    const all = mage.batch((edits) => {
      edits.set(runs[0], { ...edit, with: { n: 2 } });
      for (const run of runs.slice(1)) edits.set(run, edit);
    });
    await expect(all).rejects.toThrow(expect.objectContaining({ code: "ILLEGAL_TRANSITION" }));
    expect((await mage.list({ tag: "edited" })).items).toEqual([]);
    expect(await runs[0].view()).toMatchObject({ priority: 0, tags: [] });
    expect(await mage.audit.list()).toEqual([]);
    const failing = mage.batch(async (edits) => {
      edits.set(runs[0], edit);
      await Promise.reject(new Error("changed my mind"));
    });
    await expect(failing).rejects.toThrow("changed my mind");

    await mage.batch((edits) => {
      edits.set(runs[0], { ...edit, with: { n: 2 } });
      edits.set(runs[1], edit);
      edits.set(runs[0], { priority: 4, onSuccess: note });
    });
    const found = (await mage.list({ tag: "edited" })).items;
    expect(found.map(({ priority }) => priority).toSorted((a, b) => a - b)).toEqual([3, 4]);
    const callbacks = ["success", "error", "cleanup"];
    const edited = { with: false, priority: 3, tags: ["edited"], callbacks };
    expect((await mage.audit.list()).map(({ action, details }) => [action, details])).toEqual([
      ["edit", { ...edited, with: true }],
      ["edit", edited],
      ["edit", { with: false, priority: 4, tags: null, callbacks: ["success"] }],
    ]);
    await using worker = await mage.worker();
    await Promise.all([runs[0].start(), runs[1].start()]);
    expect(await runs[0].settled()).toMatchObject({ status: "SUCCEEDED", result: 2 });
    expect(await runs[1].settled()).toMatchObject({ status: "FAILED" });
    expect(seen.toSorted()).toEqual([
      "cleanup of bad",
      "cleanup of good",
      "error of bad",
      "success of good",
      "success of good",
    ]);
    await Promise.all([other.stop(), worker.stop()]);
  });

  test("refuses edits that come when it has been made", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    let late = (): void => {};
    await mage.batch((edits) => {
      late = () => edits.set(run, { priority: 1 });
    });
    expect(late).toThrow("the batch has been made already");
  });

  test("refuses more edits than one transaction should hold", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    const many = mage.batch((edits) => {
      for (let n = 0; n <= 10_000; n++) edits.set(run, { priority: 1 });
    });
    await expect(many).rejects.toThrow("one batch has more than 10000 edits; make several");
    expect(await run.view()).toMatchObject({ priority: 0 });
  });

  test("refuses what an edit does not have, and tags of what is no root", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const run = await mage.create(swarm([task]));
    const item = await mage.get(`${run.id}.0`);
    await expect(mage.batch((edits) => edits.set(run, { prioritY: 1 } as object))).rejects.toThrow(
      'an edit has no option "prioritY"',
    );
    await expect(mage.batch((edits) => edits.set(item, { tags: ["a"] }))).rejects.toThrow(
      expect.objectContaining({ code: "INVALID_PLAN" }),
    );
  });

  test("tells a cleanup how what it follows came to its end", async () => {
    const mage = open();
    const outcomes: string[] = [];
    const clean = mage.task("clean", (_input: unknown, ctx) => void outcomes.push(ctx.cause!.outcome));
    const task = mage.task("task", () => 1);
    const runs = await Promise.all([1, 2].map(() => mage.create(task.onCleanup(clean))));
    await runs[0]!.interrupt();
    const plan = await runs[1]!.planCancel();
    await plan.confirm();
    await using worker = await mage.worker();
    await eventually(async () => (outcomes.length === 2 ? outcomes : null));
    expect(outcomes.toSorted()).toEqual(["cancel", "interrupt"]);
    await worker.stop();
  });

  test("adds callbacks to one of many that share what they were made from", async () => {
    const mage = open();
    const seen: string[] = [];
    const note = mage.task(
      "note",
      (_input: unknown, ctx) => void seen.push(`${ctx.signature.role} of ${ctx.cause!.id}`),
    );
    const task = mage.task("task", () => 1);
    const run = await mage.create(swarm([task, task, task]));
    const second = await mage.get(`${run.id}.1`);
    await mage.batch((edits) => edits.set(second, { onSuccess: chain([note]), onCleanup: note }));
    await run.start();
    await using worker = await mage.worker();
    await run.settled();
    expect(seen).toEqual(
      [`success of ${second.id}`, `cleanup of ${second.id}`].map((text) => text.replace("success", "step")),
    );
    await worker.stop();
  });
});
