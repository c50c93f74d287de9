import { describe, expect, test } from "vitest";
import { chain, swarm } from "../../../core/plans.ts";
import type { TaskContext } from "../../../runtime/context.ts";
import { launch } from "../../../runtime/launch.ts";
import type { EngineHarness } from "../harness.ts";
import { atWork, Gate, SOON, untilStopped } from "../workshop.ts";

const patient = { timeout: SOON } as const;

export function workCases(harness: EngineHarness): void {
  describe("workflows", () => {
    test(
      "a task gets its input, and gives its result",
      atWork(harness, async (shop) => {
        const double = shop.task("double", ({ n }: { n: number }) => n * 2);
        await shop.worker();
        expect(await (await shop.run(double.with({ n: 21 }))).result(patient)).toBe(42);
      }),
    );

    test(
      "what is submitted before there is a worker is run when one comes",
      atWork(harness, async (shop) => {
        const task = shop.task("task", () => 1);
        const runs = await Promise.all([1, 2, 3].map(() => shop.run(task)));
        await shop.worker();
        for (const run of runs) expect(await run.result(patient)).toBe(1);
      }),
    );

    test(
      "the process with the worker may submit itself",
      atWork(harness, async (shop) => {
        const task = shop.task("task", () => 1);
        const process = await shop.process();
        await process.worker({});
        const run = await launch(process, task, undefined, {}, { start: true, by: null });
        expect(await run.result(patient)).toBe(1);
      }),
    );

    test(
      "a task that is registered when the worker runs already is run",
      atWork(harness, async (shop) => {
        shop.task("early", () => 1);
        await shop.worker();
        const late = shop.task("late", () => 2);
        expect(await (await shop.run(late)).result(patient)).toBe(2);
      }),
    );

    test(
      "a chain goes step by step",
      atWork(harness, async (shop) => {
        const seen: number[] = [];
        const step = shop.task("step", ({ result }: { result?: number }) => {
          seen.push(result ?? 0);
          return (result ?? 0) + 1;
        });
        await shop.worker();
        const run = await shop.run(chain(Array.from({ length: 12 }, () => step)));
        expect(await run.result(patient)).toBe(12);
        expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => i));
      }),
    );

    test(
      "a swarm of 1,500 runs each item once",
      atWork(harness, async (shop) => {
        const times = new Map<number, number>();
        const item = shop.task("item", ({ i }: { i: number }) => void times.set(i, (times.get(i) ?? 0) + 1));
        await shop.worker({ concurrency: 50 });
        const plans = Array.from({ length: 1_500 }, (_, i) => item.with({ i }));
        const run = await shop.run(swarm(plans, { concurrency: 200 }));
        await run.settled(patient);
        expect(await run.view()).toMatchObject({ status: "SUCCEEDED" });
        expect(times.size).toBe(1_500);
        expect([...times.values()].every((count) => count === 1)).toBe(true);
      }),
    );

    test(
      "a swarm of chains of swarms comes to its end",
      atWork(harness, async (shop) => {
        let ran = 0;
        const task = shop.task("task", () => ++ran);
        await shop.worker({ concurrency: 10 });
        const inner = chain([task, swarm([task, task, task]), task]);
        const run = await shop.run(swarm(Array.from({ length: 10 }, () => inner)));
        await run.settled(patient);
        expect(ran).toBe(50);
      }),
    );

    test(
      "many workflows at once come to their ends",
      atWork(harness, async (shop) => {
        const task = shop.task("task", ({ n }: { n: number }) => n);
        await shop.worker({ concurrency: 7 });
        const process = await shop.process();
        const runs = await Promise.all(
          Array.from({ length: 200 }, (_, n) =>
            launch(process, task.with({ n }), undefined, {}, { start: true, by: null }),
          ),
        );
        const results = await Promise.all(runs.map((run) => run.result(patient)));
        expect(results).toEqual(Array.from({ length: 200 }, (_, n) => n));
      }),
    );

    test(
      "callbacks and cleanups run after success",
      atWork(harness, async (shop) => {
        const ran: string[] = [];
        const task = shop.task("task", () => "done");
        const [success, cleanup] = ["success", "cleanup"].map((name) =>
          shop.task(name, () => void ran.push(name)),
        );
        await shop.worker();
        const run = await shop.run(task.onSuccess(success!).onCleanup(cleanup!));
        await run.settled(patient);
        expect(ran).toEqual(["success", "cleanup"]);
      }),
    );

    test(
      "callbacks and cleanups run after failure",
      atWork(harness, async (shop) => {
        const ran: string[] = [];
        const task = shop.task("task", () => {
          throw new Error("no");
        });
        const [error, cleanup] = ["error", "cleanup"].map((name) =>
          shop.task(name, () => void ran.push(name)),
        );
        await shop.worker();
        const run = await shop.run(task.onError(error!).onCleanup(cleanup!));
        expect(await run.settled(patient)).toMatchObject({ status: "FAILED" });
        expect(ran).toEqual(["error", "cleanup"]);
      }),
    );

    test(
      "item callbacks run for each item",
      atWork(harness, async (shop) => {
        let told = 0;
        const item = shop.task("item", () => 1);
        const tell = shop.task("tell", () => ++told);
        await shop.worker();
        const run = await shop.run(swarm([item, item, item, item], { onItemSuccess: tell }));
        await run.settled(patient);
        expect(told).toBe(4);
      }),
    );

    test(
      "a task that fails is tried again, and not before its time",
      atWork(harness, async (shop) => {
        const at: number[] = [];
        const task = shop.task(
          "task",
          (_: never, { attempt }: TaskContext) => {
            at.push(performance.now());
            if (attempt < 3) throw new Error("not yet");
            return attempt;
          },
          { retry: { attempts: 3, backoff: { type: "fixed", delay: 100, jitter: "none" } } },
        );
        await shop.worker();
        expect(await (await shop.run(task)).result(patient)).toBe(3);
        // The store counts from its own instants, which are whole.
        expect(Math.min(at[1]! - at[0]!, at[2]! - at[1]!)).toBeGreaterThanOrEqual(95);
      }),
    );

    test(
      "attempts come to an end",
      atWork(harness, async (shop) => {
        let ran = 0;
        const task = shop.task(
          "task",
          () => {
            ran++;
            throw new Error("never");
          },
          { retry: { attempts: 4, backoff: { type: "fixed", delay: 1 } } },
        );
        await shop.worker();
        expect(await (await shop.run(task)).settled(patient)).toMatchObject({ status: "FAILED" });
        expect(ran).toBe(4);
      }),
    );

    test(
      "what is delayed waits for its time",
      atWork(harness, async (shop) => {
        let at = 0;
        const task = shop.task("task", () => void (at = performance.now()));
        await shop.worker();
        const begun = performance.now();
        await (await shop.run(task, { delay: 300 })).settled(patient);
        expect(at - begun).toBeGreaterThanOrEqual(295);
      }),
    );

    test(
      "what is delayed is run when the worker comes after its time",
      atWork(harness, async (shop) => {
        const task = shop.task("task", () => 1);
        const run = await shop.run(task, { delay: 100 });
        const timer = shop.task("timer", () => 1);
        const after = await shop.run(timer, { delay: 200 });
        await shop.worker({ tasks: ["timer"] });
        await after.settled(patient);
        await shop.worker();
        expect(await run.result(patient)).toBe(1);
      }),
    );

    test(
      "more urgent tasks of a name are taken first",
      atWork(harness, async (shop) => {
        const order: number[] = [];
        const all = [1, 5, 3, -2, 0, -9];
        const gate = new Gate();
        const task = shop.task("task", ({ n }: { n: number }) => {
          order.push(n);
          void gate.pass();
        });
        const process = await shop.process();
        for (const n of all)
          await launch(process, task.with({ n }), undefined, { priority: n }, { start: true, by: null });
        // What it has made ready has been published when it is closed.
        await process.close();
        await shop.worker({ concurrency: 1 });
        await gate.came(all.length);
        expect(order).toEqual([5, 3, 1, 0, -2, -9]);
      }),
    );

    test(
      "a task that takes too long is told so",
      atWork(harness, async (shop) => {
        const task = shop.task("task", (_: never, { signal }: TaskContext) => untilStopped(signal), {
          timeout: 100,
        });
        await shop.worker();
        const settled = await (await shop.run(task)).settled(patient);
        expect(settled).toMatchObject({ status: "FAILED", error: { code: "TIMEOUT" } });
      }),
    );

    test(
      "a task can start another, and wait for it",
      atWork(harness, async (shop) => {
        const inner = shop.task("inner", () => 7);
        const outer = shop.task("outer", async (_: never, context: TaskContext) =>
          (await context.run(inner)).result(),
        );
        await shop.worker({ concurrency: 2 });
        expect(await (await shop.run(outer)).result(patient)).toBe(7);
      }),
    );

    test(
      "steps are not run again by the next attempt",
      atWork(harness, async (shop) => {
        let steps = 0;
        const task = shop.task(
          "task",
          async (_: never, { attempt, step }: TaskContext) => {
            await step("once", () => ++steps);
            if (attempt === 1) throw new Error("again");
            return steps;
          },
          { retry: { attempts: 2, backoff: { type: "fixed", delay: 1 } } },
        );
        await shop.worker();
        expect(await (await shop.run(task)).result(patient)).toBe(1);
      }),
    );
  });
}
