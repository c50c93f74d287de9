import { describe, expect, test } from "vitest";
import { chain, swarm } from "../../../core/plans.ts";
import type { TaskContext } from "../../../runtime/context.ts";
import type { EngineHarness } from "../harness.ts";
import { atWork, Gate, SOON, untilStopped } from "../workshop.ts";

const patient = { timeout: SOON } as const;

export function steeringCases(harness: EngineHarness): void {
  describe("steering", () => {
    test(
      "what is suspended before it is taken does not run until it is resumed",
      atWork(harness, async (shop) => {
        const ran: string[] = [];
        const [task, other] = ["task", "other"].map((name) => shop.task(name, () => void ran.push(name)));
        const run = await shop.run(task!);
        await run.suspend();
        await shop.worker({ concurrency: 1 });
        await (await shop.run(other!)).settled(patient);
        expect(ran).toEqual(["other"]);
        await run.resume();
        await run.settled(patient);
        expect(ran).toEqual(["other", "task"]);
      }),
    );

    test(
      "what is suspended and resumed before it is taken runs once",
      atWork(harness, async (shop) => {
        let ran = 0;
        const task = shop.task("task", () => ++ran);
        const run = await shop.run(task);
        for (let i = 0; i < 3; i++) {
          await run.suspend();
          await run.resume();
        }
        await shop.worker();
        expect(await run.result(patient)).toBe(1);
        expect(ran).toBe(1);
      }),
    );

    test(
      "nothing of a suspended swarm starts, and all of it when it is resumed, each once",
      atWork(harness, async (shop) => {
        const gate = new Gate();
        let ran = 0;
        const item = shop.task("item", async () => {
          ran++;
          await gate.pass();
        });
        const other = shop.task("other", () => 1);
        await shop.worker({ concurrency: 4 });
        const run = await shop.run(
          swarm(
            Array.from({ length: 40 }, () => item),
            { concurrency: 20 },
          ),
        );
        await gate.came(4);
        await run.suspend();
        gate.open();
        await (await shop.run(other)).settled(patient);
        expect(ran).toBe(4);
        await run.resume();
        expect(await run.result(patient)).toMatchObject({ succeeded: 40 });
        expect(ran).toBe(40);
      }),
    );

    test(
      "suspended and resumed again and again, a swarm runs each item once",
      atWork(harness, async (shop) => {
        const times = new Map<string, number>();
        const item = shop.task("item", (_: never, { id }: TaskContext) => {
          times.set(id, (times.get(id) ?? 0) + 1);
        });
        await shop.worker({ concurrency: 5 });
        const run = await shop.run(
          swarm(
            Array.from({ length: 200 }, () => item),
            { concurrency: 50 },
          ),
        );
        for (let i = 0; i < 10; i++) {
          await run.suspend();
          await run.resume();
        }
        expect(await run.result(patient)).toMatchObject({ succeeded: 200 });
        expect([...times.values()].filter((count) => count !== 1)).toEqual([]);
      }),
    );

    test(
      "what is interrupted before it is taken does not run until it is resumed",
      atWork(harness, async (shop) => {
        const generations: number[] = [];
        const task = shop.task(
          "task",
          (_: never, { generation }: TaskContext) => void generations.push(generation),
        );
        const run = await shop.run(task);
        await run.interrupt();
        await shop.worker();
        await run.resume();
        await run.settled(patient);
        expect(generations).toEqual([2]);
      }),
    );

    test(
      "what runs and is interrupted goes on in its next generation",
      atWork(harness, async (shop) => {
        const gate = new Gate();
        const task = shop.task("task", async (_: never, { generation, signal }: TaskContext) => {
          if (generation === 2) return "went on";
          void gate.pass();
          return untilStopped(signal);
        });
        await shop.worker();
        const run = await shop.run(task);
        await gate.came();
        await run.interrupt({ grace: "5s" });
        await run.resume();
        expect(await run.result(patient)).toBe("went on");
      }),
    );

    test(
      "what is cancelled never starts",
      atWork(harness, async (shop) => {
        const ran: string[] = [];
        const [task, other] = ["task", "other"].map((name) => shop.task(name, () => void ran.push(name)));
        const run = await shop.run(chain([task!, task!]));
        const plan = await run.planCancel();
        await plan.confirm();
        await shop.worker({ concurrency: 1 });
        await (await shop.run(other!)).settled(patient);
        expect(ran).toEqual(["other"]);
      }),
    );

    test(
      "what is run again runs again, and all that is in it",
      atWork(harness, async (shop) => {
        const generations: number[] = [];
        const task = shop.task(
          "task",
          (_: never, { generation }: TaskContext) => void generations.push(generation),
        );
        await shop.worker();
        const run = await shop.run(swarm([task, task, task]));
        await run.settled(patient);
        await run.rerun();
        await run.settled(patient);
        expect(generations).toEqual([1, 1, 1, 2, 2, 2]);
      }),
    );

    test(
      "what is locked waits for the end of its lock",
      atWork(harness, async (shop) => {
        const task = shop.task("task", () => performance.now());
        const run = await shop.run(task);
        const lock = await run.lock({ for: "30s" });
        await shop.worker();
        const other = await shop.run(task);
        await other.settled(patient);
        const released = performance.now();
        await lock.release();
        expect(await run.result(patient)).toBeGreaterThanOrEqual(released);
      }),
    );
  });
}
