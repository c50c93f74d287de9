import { expect, test } from "vitest";
import { CancelledError, chain, GoneError, swarm } from "../../src/index.ts";
import { eventually } from "./eventually.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

const stale = expect.objectContaining({ code: "STALE_CONFIRMATION" });

onEachStore("cancel", (open) => {
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

  test("of a step is refused", async () => {
    const mage = open();
    const run = await mage.run(chain([mage.task("task", () => 1)]));
    const illegal = expect.objectContaining({ code: "ILLEGAL_TRANSITION" });
    await expect((await mage.get(`${run.id}.0`)).planCancel()).rejects.toThrow(illegal);
  });
});
