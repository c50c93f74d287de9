import { describe, expect, test } from "vitest";
import { swarm } from "../../../core/plans.ts";
import type { TaskContext } from "../../../runtime/context.ts";
import { launch } from "../../../runtime/launch.ts";
import type { EngineHarness } from "../harness.ts";
import { atWork, Gate, Peak, SOON, untilStopped } from "../workshop.ts";
import { realTime } from "../real-time.ts";

const patient = { timeout: SOON } as const;

export function workersCases(harness: EngineHarness): void {
  describe("workers", () => {
    test(
      "run no more at once than they may, and as many as they may",
      atWork(harness, async (shop) => {
        const peak = new Peak(5);
        const task = shop.task("task", () => peak.during(() => realTime.sleep(2)));
        await shop.worker({ concurrency: 5 });
        await (await shop.run(swarm(Array.from({ length: 60 }, () => task)))).settled(patient);
        expect(peak.most).toBe(5);
      }),
    );

    test(
      "run no more of a task at once than it allows, and go on with others meanwhile",
      atWork(harness, async (shop) => {
        const [few, all] = [new Peak(2), new Peak(3)];
        const both = (peak: Peak) => () => all.during(() => peak.during(() => realTime.sleep(2)));
        const narrow = shop.task("narrow", both(few), { concurrency: 2 });
        const wide = shop.task("wide", both(new Peak(1)));
        await shop.worker({ concurrency: 8 });
        const plans = Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? narrow : wide));
        await (await shop.run(swarm(plans, { concurrency: 80 }))).settled(patient);
        expect(few.most).toBe(2);
        expect(all.most).toBeGreaterThan(2);
        expect(all.most).toBeLessThanOrEqual(8);
      }),
    );

    test(
      "a swarm has no more at once than it allows, however many workers there are",
      atWork(harness, async (shop) => {
        const peak = new Peak(4);
        const task = shop.task("task", () => peak.during(() => realTime.sleep(2)));
        await Promise.all([shop.worker(), shop.worker(), shop.worker()]);
        const plans = Array.from({ length: 60 }, () => task);
        await (await shop.run(swarm(plans, { concurrency: 4 }))).settled(patient);
        expect(peak.most).toBe(4);
      }),
    );

    test(
      "share the work, and do each task once",
      atWork(harness, async (shop) => {
        const gate = new Gate();
        let ran = 0;
        const task = shop.task("task", async () => {
          ran++;
          await gate.pass();
        });
        const workers = await Promise.all([shop.worker({ concurrency: 3 }), shop.worker({ concurrency: 3 })]);
        const run = await shop.run(swarm(Array.from({ length: 20 }, () => task)));
        await gate.came(6);
        expect(workers.map(({ running }) => running)).toEqual([3, 3]);
        gate.open();
        await run.settled(patient);
        expect(ran).toBe(20);
      }),
    );

    test(
      "leave alone what they were not asked to run",
      atWork(harness, async (shop) => {
        const seen: string[] = [];
        const [a, b] = ["a", "b"].map((name) => shop.task(name, () => void seen.push(name)));
        await shop.worker({ tasks: ["a"] });
        const later = await shop.run(b!);
        const run = await shop.run(a!);
        await run.settled(patient);
        expect(seen).toEqual(["a"]);
        await shop.worker({ tasks: ["b"] });
        await later.settled(patient);
        expect(seen).toEqual(["a", "b"]);
      }),
    );

    test(
      "are not held up by tasks that nobody runs",
      atWork(harness, async (shop) => {
        const nobody = shop.task("nobody", () => 0);
        const somebody = shop.task("somebody", () => 1);
        await shop.worker({ tasks: ["somebody"], concurrency: 2 });
        await shop.run(swarm(Array.from({ length: 50 }, () => nobody)));
        const run = await shop.run(swarm(Array.from({ length: 50 }, () => somebody)));
        expect(await run.settled(patient)).toMatchObject({ status: "SUCCEEDED" });
      }),
    );

    test(
      "that run one task at a time come through",
      atWork(harness, async (shop) => {
        const tasks = ["a", "b", "c"].map((name) => shop.task(name, () => name));
        await shop.worker({ concurrency: 1 });
        const plans = Array.from({ length: 60 }, (_, i) => tasks[i % 3]!);
        expect(await (await shop.run(swarm(plans))).settled(patient)).toMatchObject({ status: "SUCCEEDED" });
      }),
    );

    test(
      "let what runs come to its end when they stop",
      atWork(harness, async (shop) => {
        const gate = new Gate();
        const task = shop.task("task", async () => {
          await gate.pass();
          return "ended";
        });
        const worker = await shop.worker();
        const run = await shop.run(task);
        await gate.came();
        const stopped = worker.stop();
        gate.open();
        await stopped;
        expect(await run.result(patient)).toBe("ended");
        expect(await run.view()).toMatchObject({ attempt: 1, recoveries: 0 });
      }),
    );

    test(
      "hand what does not end to others at once",
      atWork(harness, async (shop) => {
        const gate = new Gate();
        const task = shop.task("task", async (_: never, { epoch, signal }: TaskContext) => {
          if (epoch > 1) return epoch;
          void gate.pass();
          return untilStopped(signal);
        });
        const first = await shop.worker({ grace: "50ms" });
        const run = await shop.run(task);
        await gate.came();
        await shop.worker();
        const begun = performance.now();
        await first.stop();
        expect(await run.result(patient)).toBeGreaterThan(1);
        expect(performance.now() - begun).toBeLessThan(10_000);
      }),
    );

    test(
      "leave what they have not begun to others when they stop",
      atWork(harness, async (shop) => {
        const gate = new Gate();
        const task = shop.task("task", () => gate.pass());
        const first = await shop.worker({ concurrency: 2 });
        const run = await shop.run(swarm(Array.from({ length: 20 }, () => task)));
        await gate.came(2);
        const stopped = first.stop();
        gate.open();
        await stopped;
        await shop.worker();
        expect(await run.result(patient)).toMatchObject({ succeeded: 20 });
      }),
    );

    test(
      "stop at once when they have nothing to do",
      atWork(harness, async (shop) => {
        shop.task("task", () => 1);
        const worker = await shop.worker();
        const begun = performance.now();
        await worker.stop();
        expect(performance.now() - begun).toBeLessThan(3_000);
      }),
    );

    test(
      "that come and go all the time lose nothing",
      atWork(harness, async (shop) => {
        const times = new Map<string, number>();
        const task = shop.task("task", async (_: never, { id }: TaskContext) => {
          times.set(id, (times.get(id) ?? 0) + 1);
          await realTime.sleep(1);
        });
        const run = await shop.run(
          swarm(
            Array.from({ length: 300 }, () => task),
            { concurrency: 300 },
          ),
        );
        let isOver = false;
        const settled = run.settled(patient).then(() => (isOver = true));
        while (!isOver) {
          const worker = await shop.worker({ concurrency: 20 });
          const process = await shop.process();
          const small = await launch(process, task, undefined, {}, { start: true, by: null });
          await small.settled(patient);
          await worker.stop();
        }
        await settled;
        expect([...times.values()].filter((count) => count !== 1)).toEqual([]);
      }),
    );

    test(
      "that were taken for dead go on, and so do their tasks",
      atWork(harness, async (shop) => {
        const gate = new Gate();
        const task = shop.task("task", async (_: never, { epoch, signal }: TaskContext) => {
          if (epoch > 1) return epoch;
          void gate.pass();
          return untilStopped(signal);
        });
        const process = await shop.process();
        const worker = await process.worker({ lease: "400ms", heartbeat: "100ms" });
        const run = await shop.run(task);
        await gate.came();
        worker.lose();
        expect(await run.result(patient)).toBe(2);
        expect(await run.view()).toMatchObject({ attempt: 1, recoveries: 1 });
        const next = await shop.run(task);
        await next.interrupt({ grace: 0 });
      }),
    );
  });
}
