import { describe, expect, test } from "vitest";
import { chain, swarm } from "../../../core/plans.ts";
import type { SignatureRecord } from "../../../core/record.ts";
import type { Delivery } from "../../../ports/engine.ts";
import type { TaskContext } from "../../../runtime/context.ts";
import type { EngineHarness } from "../harness.ts";
import { atWork, Gate, SOON, type Workshop } from "../workshop.ts";

const patient = { timeout: SOON } as const;

async function stored(shop: Workshop, id: string): Promise<SignatureRecord> {
  return (await shop.store.get([id]))[0]!;
}

function of(
  { id, generation, epoch, name, priority }: SignatureRecord,
  how: Partial<Delivery> = {},
): Delivery {
  return { id, generation, epoch, name, priority, delay: 0, ...how };
}

/** The store decides: whatever an engine loses, repeats or makes up, each task runs once. */
export function doubtsCases(harness: EngineHarness): void {
  describe("the store decides", () => {
    test(
      "what was lost before it was taken is run all the same",
      atWork(harness, async (shop) => {
        const task = shop.task("task", () => 1);
        const run = await shop.run(swarm(Array.from({ length: 30 }, () => task)));
        await shop.place.lose();
        await shop.worker();
        expect(await run.result(patient)).toMatchObject({ succeeded: 30 });
      }),
    );

    test(
      "what runs when everything is lost ends as usual, and the rest follows",
      atWork(harness, async (shop) => {
        const gate = new Gate();
        let ran = 0;
        const task = shop.task("task", async () => {
          ran++;
          await gate.pass();
        });
        await shop.worker({ concurrency: 5 });
        const run = await shop.run(
          swarm(
            Array.from({ length: 30 }, () => task),
            { concurrency: 20 },
          ),
        );
        await gate.came(5);
        await shop.place.lose();
        gate.open();
        expect(await run.result(patient)).toMatchObject({ succeeded: 30 });
        expect(ran).toBe(30);
      }),
    );

    test(
      "a chain goes on although everything is lost at every step",
      atWork(harness, async (shop) => {
        const step = shop.task("step", async () => {
          await shop.place.lose();
          return null;
        });
        await shop.worker();
        const run = await shop.run(chain([step, step, step]));
        expect(await run.settled(patient)).toMatchObject({ status: "SUCCEEDED" });
      }),
    );

    test.for<[what: string, published: (record: SignatureRecord) => readonly Delivery[]]>([
      ["a delivery that comes again runs nothing again", (record) => [of(record), of(record)]],
      [
        "a delivery of another epoch runs nothing",
        (record) => [1, 7].map((n) => of(record, { epoch: record.epoch + n })),
      ],
      ["a delivery of another generation runs nothing", (record) => [of(record, { generation: 9 })]],
      [
        "a delivery of what is not stored runs nothing",
        (record) => [of(record, { id: "0nothing", priority: 9 })],
      ],
      ["a delivery that comes late runs nothing", (record) => [of(record, { delay: 200 })]],
    ])("%s", ([, published], context) =>
      atWork(
        harness,
        async (shop) => {
          const gate = new Gate();
          const times = new Map<string, number>();
          const task = shop.task("task", async (_: never, { id }: TaskContext) => {
            times.set(id, (times.get(id) ?? 0) + 1);
            await gate.pass();
          });
          const run = await shop.run(task);
          const publish = async (): Promise<void> => {
            const record = await stored(shop, run.id);
            await shop.publish(...published(record), of(record));
          };
          await publish();
          await shop.worker({ concurrency: 10 });
          await gate.came();
          await publish();
          gate.open();
          await run.settled(patient);
          await publish();
          // Whatever was brought before this has been dealt with when it has run.
          await (await shop.run(task)).settled(patient);
          expect([...times.values()]).toEqual([1, 1]);
          expect(await stored(shop, run.id)).toMatchObject({ status: "SUCCEEDED", epoch: 1, attempt: 1 });
        },
        { carries: true },
      )(context),
    );

    test(
      "a delivery under the name of another task is not run as that",
      atWork(
        harness,
        async (shop) => {
          const ran: string[] = [];
          const [task, other] = ["task", "other"].map((name) => shop.task(name, () => void ran.push(name)));
          const run = await shop.run(task!);
          await shop.publish(of(await stored(shop, run.id), { name: "other" }));
          await shop.worker({ tasks: ["other"], concurrency: 1 });
          await (await shop.run(other!)).settled(patient);
          expect(ran).toEqual(["other"]);
          await shop.worker();
          await run.settled(patient);
          expect(ran).toEqual(["other", "task"]);
        },
        { carries: true },
      ),
    );

    test(
      "a delivery of what waits for its turn runs nothing",
      atWork(
        harness,
        async (shop) => {
          const order: number[] = [];
          const task = shop.task("task", ({ n }: { n: number }) => void order.push(n));
          const run = await shop.run(chain([task.with({ n: 1 }), task.with({ n: 2 })]));
          await shop.publish(of(await stored(shop, `${run.id}.1`), { priority: 9 }));
          await shop.worker({ concurrency: 1 });
          await run.settled(patient);
          expect(order).toEqual([1, 2]);
        },
        { carries: true },
      ),
    );

    test(
      "deliveries of a container run nothing",
      atWork(
        harness,
        async (shop) => {
          const task = shop.task("task", () => 1);
          const run = await shop.run(swarm([task, task]));
          await shop.publish(
            of(await stored(shop, run.id)),
            of(await stored(shop, run.id), { name: "task" }),
          );
          await shop.worker();
          expect(await run.result(patient)).toMatchObject({ succeeded: 2 });
        },
        { carries: true },
      ),
    );

    test(
      "everything is carried to its end behind a storm of stale deliveries",
      atWork(
        harness,
        async (shop) => {
          const task = shop.task("task", () => 1);
          const stale = (n: number): Delivery => ({
            id: `0gone${n}`,
            generation: 1,
            epoch: 0,
            name: "task",
            priority: 5,
            delay: 0,
          });
          await shop.publish(...Array.from({ length: 2_000 }, (_, n) => stale(n)));
          await shop.worker({ concurrency: 10 });
          const run = await shop.run(swarm(Array.from({ length: 50 }, () => task)));
          expect(await run.result(patient)).toMatchObject({ succeeded: 50 });
        },
        { carries: true },
      ),
    );
  });
}
