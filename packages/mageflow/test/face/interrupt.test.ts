import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { chain, InterruptedError, type MageFlow, swarm, type TaskContext } from "../../src/index.ts";
import { eventually } from "./eventually.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

/** Waits until its signal aborts, and throws the reason. */
function obedient(ctx: TaskContext): Promise<never> {
  return new Promise((_resolve, reject) => {
    ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason as Error));
  });
}

function cleaner(mage: MageFlow, cleaned: string[]) {
  return mage.task("clean", (_input: unknown, ctx) => void cleaned.push(ctx.cause!.name));
}

onEachStore("interrupt", (open) => {
  test("stops a task that runs, by its signal, and cleans up", async () => {
    const mage = open();
    const cleaned: string[] = [];
    const started = gate();
    let reason: unknown = null;
    const task = mage.task("task", async (_input: unknown, ctx) => {
      started.open();
      return obedient(ctx).catch((error: unknown) => {
        reason = error;
        throw error;
      });
    });
    await using worker = await mage.worker();
    const run = await mage.run(task.onCleanup(cleaner(mage, cleaned)));
    await started.opened;
    await run.interrupt({ reason: "by hand" });
    expect(await run.status()).toMatchObject({ status: "INTERRUPTED" });
    expect(reason).toMatchObject({ code: "INTERRUPTED", message: expect.stringContaining("by hand") });
    await expect(run.result()).rejects.toThrow(InterruptedError);
    expect(await run.settled()).toEqual({ id: run.id, status: "INTERRUPTED" });
    expect(cleaned).toEqual(["task"]);
    expect((await run.view()).interrupted).toEqual({ reason: "by hand", clean: true });
    await run.interrupt();
    await worker.stop();
  });

  test("from another MageFlow reaches the worker at once", async () => {
    const [mage, other] = [open(), open()];
    const started = gate();
    const task = mage.task("task", (_input: unknown, ctx) => {
      started.open();
      return obedient(ctx);
    });
    await using worker = await mage.worker();
    const run = await mage.run(task);
    await started.opened;
    const begun = performance.now();
    await (await other.get(run.id)).interrupt();
    expect(performance.now() - begun).toBeLessThan(3_000);
    await worker.stop();
  });

  test("what ends well within the grace has succeeded", async () => {
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
    const interrupted = run.interrupt();
    finish.open();
    await interrupted;
    expect(await run.result()).toBe(1);
    await worker.stop();
  });

  test("a container is not called clean before all that runs inside has ended", async () => {
    const mage = open();
    const started = gate();
    const finish = gate();
    const slow = mage.task("slow", async () => {
      started.open();
      await finish.opened;
    });
    await using worker = await mage.worker();
    const run = await mage.run(chain([chain([slow]), slow]));
    await started.opened;
    const interrupted = run.interrupt({ grace: "1m" });
    const first = await eventually(async () => (await run.view()).interrupted);
    expect(first).toEqual({ reason: null, clean: null });
    finish.open();
    await interrupted;
    expect((await run.view()).interrupted).toEqual({ reason: null, clean: true });
    expect(await run.resume()).toEqual({ clean: true });
    await worker.stop();
  });

  test("code that ignores its signal is given up after the grace and keeps its place", async () => {
    const mage = open();
    const started = gate();
    const finish = gate();
    const deaf = mage.task("deaf", async (_input: unknown, ctx) => {
      started.open();
      await finish.opened;
      await ctx.checkpoint("too late");
    });
    await using worker = await mage.worker({ concurrency: 1 });
    const run = await mage.run(deaf);
    await started.opened;
    await run.interrupt({ grace: 50 });
    expect((await run.view()).interrupted).toEqual({ reason: null, clean: false });
    expect([worker.running, worker.abandoned]).toEqual([1, 1]);
    finish.open();
    while (worker.running > 0) await sleep(5);
    expect(worker.abandoned).toBe(0);
    expect(await run.resume()).toEqual({ clean: false });
    await worker.stop();
  });

  test("that was not clean is told so to all who resume it at once, from anywhere", async () => {
    const [mage, other] = [open(), open()];
    const started = gate();
    const finish = gate();
    const deaf = mage.task("deaf", async () => {
      started.open();
      await finish.opened;
    });
    await using worker = await mage.worker({ concurrency: 1 });
    const run = await mage.run(deaf);
    await started.opened;
    await run.interrupt({ grace: 20 });
    const runs = [run, run, await other.get(run.id)];
    const answers = await Promise.all(runs.map((one) => one.resume()));
    expect(answers).toEqual(runs.map(() => ({ clean: false })));
    expect((await mage.audit.list()).map(({ action }) => action)).toEqual(["interrupt", "resume"]);
    finish.open();
    await worker.stop();
  });

  test("that was not clean is told so to who resumes it later, until it has stopped once more", async () => {
    const mage = open();
    const started = [gate(), gate(), gate()];
    const finish = gate();
    const deaf = mage.task("deaf", async (_input: unknown, ctx) => {
      started[ctx.generation - 1]!.open();
      if (ctx.generation === 2) await obedient(ctx);
      else await finish.opened;
    });
    await using worker = await mage.worker({ concurrency: 2 });
    const run = await mage.run(chain([deaf]));
    await started[0]!.opened;
    await run.interrupt({ grace: 20 });
    expect(await run.resume()).toEqual({ clean: false });
    await started[1]!.opened;
    const later = await open().get(run.id);
    expect([await later.resume(), await run.resume()]).toEqual([{ clean: false }, { clean: false }]);
    await run.suspend();
    expect(await run.resume()).toEqual({ clean: true });
    await run.interrupt();
    expect([await run.resume(), await run.resume()]).toEqual([{ clean: true }, { clean: true }]);
    finish.open();
    await worker.stop();
  });

  test("again with a shorter grace, from anywhere, gives up sooner what runs, and never later", async () => {
    const [mage, other] = [open(), open()];
    const started = gate();
    const finish = gate();
    let running = 0;
    const deaf = mage.task("deaf", async () => {
      if (++running === 3) started.open();
      await finish.opened;
    });
    await using worker = await mage.worker();
    const one = await mage.run(deaf);
    const all = await mage.run(swarm([chain([deaf]), deaf]));
    await started.opened;
    const begun = performance.now();
    const first = [one.interrupt({ grace: "1h" }), all.interrupt({ grace: "1h" })];
    for (const { id } of [one, all]) {
      const run = await other.get(id);
      await Promise.all([run.interrupt({ grace: 50 }), run.interrupt({ grace: "2h" })]);
    }
    await Promise.all(first);
    for (const run of [one, all]) {
      expect(await run.settled()).toMatchObject({ status: "INTERRUPTED" });
      expect((await run.view()).interrupted).toMatchObject({ clean: false });
    }
    // Fenced off by the store, it is given up by its worker too.
    while (worker.abandoned < 3) await sleep(5);
    expect(performance.now() - begun).toBeLessThan(5_000);
    finish.open();
    await worker.stop();
  });

  test("goes on from its checkpoint in the next generation, and finished steps do not run again", async () => {
    const mage = open();
    const started = gate();
    const seen: unknown[] = [];
    const task = mage.task("task", async (_input: unknown, ctx) => {
      seen.push([ctx.generation, ctx.attempt, ctx.checkpointed]);
      const steps = await ctx.step("once", () => seen.push("step"));
      await ctx.checkpoint({ at: 7 });
      if (ctx.generation > 1) return steps;
      started.open();
      return obedient(ctx);
    });
    await using worker = await mage.worker();
    const run = await mage.run(task);
    await started.opened;
    await run.interrupt();
    expect(await run.resume()).toEqual({ clean: true });
    expect(await run.result()).toBe(2);
    expect(seen).toEqual([[1, 1, null], "step", [2, 1, { at: 7 }]]);
    await worker.stop();
  });

  test("that is taken back while it still stops leaves nobody who waits for a result behind", async () => {
    const mage = open();
    const started = gate();
    const finish = gate();
    const step = mage.task("step", async () => {
      started.open();
      await finish.opened;
      return "ended";
    });
    await using worker = await mage.worker();
    const run = await mage.run(chain([step]));
    await started.opened;
    await run.interrupt();
    await run.resume();
    await expect(run.result({ timeout: 1 })).rejects.toMatchObject({ code: "WAIT_TIMEOUT" });
    finish.open();
    expect(await run.result()).toBe("ended");
    await worker.stop();
  });

  test("of what has not started keeps it from starting, until it is resumed", async () => {
    const mage = open();
    const cleaned: string[] = [];
    const task = mage.task("task", () => "ran");
    const run = await mage.run(task.onCleanup(cleaner(mage, cleaned)));
    await run.interrupt();
    await using worker = await mage.worker();
    expect(await run.settled()).toMatchObject({ status: "INTERRUPTED" });
    expect(cleaned).toEqual(["task"]);
    await run.resume();
    expect(await run.result()).toBe("ran");
    await run.settled();
    expect(cleaned).toEqual(["task", "task"]);
    await worker.stop();
  });

  test("stops a swarm of chains where they are, inner cleanups before outer ones, and all of it goes on", async () => {
    const mage = open();
    const cleaned: string[] = [];
    const clean = cleaner(mage, cleaned);
    let running = 0;
    const enough = gate();
    let obey = true;
    const first = mage.task("first", ({ n }: { n: number }) => ({ n }));
    const second = mage.task("second", async ({ n }: { n: number }, ctx) => {
      if (++running === 3) enough.open();
      if (obey) await obedient(ctx);
      return { n };
    });
    const item = chain([first, second.onCleanup(clean)], { name: "item" });
    const all = swarm(
      Array.from({ length: 10 }, (_, n) => item.with({ n })),
      { name: "all", concurrency: 3 },
    ).onCleanup(clean);
    await using worker = await mage.worker();
    const run = await mage.run(all);
    await enough.opened;
    await run.interrupt({ reason: "stop" });
    expect(await run.settled()).toMatchObject({ status: "INTERRUPTED" });
    expect(cleaned).toEqual(["second", "second", "second", "all"]);
    expect(running).toBe(3);
    const { counts } = await run.status();
    expect(counts).toMatchObject({ interrupted: 3, pending: 7 });
    obey = false;
    await run.resume();
    expect(await run.result()).toMatchObject({ total: 10, succeeded: 10 });
    await run.settled();
    expect(cleaned.slice(4)).toEqual([...Array<string>(10).fill("second"), "all"]);
    await worker.stop();
  });

  test("of a swarm past its limit stops its running items, when it was made so", async () => {
    const mage = open();
    const cleaned: string[] = [];
    const started = gate();
    const long = mage.task("long", (_input: unknown, ctx) => {
      started.open();
      return obedient(ctx);
    });
    const bad = mage.task("bad", async () => {
      await started.opened;
      throw new Error("no");
    });
    await using worker = await mage.worker();
    const items = [long.onCleanup(cleaner(mage, cleaned)), bad, bad];
    const run = await mage.run(swarm(items, { concurrency: 2, stopAfterFailures: 0, onLimit: "interrupt" }));
    expect(await run.settled()).toMatchObject({ status: "FAILED" });
    expect((await run.status()).counts).toMatchObject({ total: 3, failed: 1, skipped: 2 });
    expect(cleaned).toEqual(["long"]);
    await worker.stop();
  });

  test("of what has ended is refused", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    await using worker = await mage.worker();
    const run = await mage.run(task);
    await run.result();
    await expect(run.interrupt()).rejects.toThrow(expect.objectContaining({ code: "ILLEGAL_TRANSITION" }));
    await worker.stop();
  });

  test("without any worker, ends within its grace what a dead one held", async () => {
    const mage = open();
    const started = gate();
    const deaf = mage.task("deaf", async () => {
      started.open();
      await sleep(300);
    });
    const worker = await mage.worker();
    const run = await mage.run(deaf);
    await started.opened;
    await run.interrupt({ grace: 0 });
    expect(await run.status()).toMatchObject({ status: "INTERRUPTED" });
    await worker.stop();
  });
});
