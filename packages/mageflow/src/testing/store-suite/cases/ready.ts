import { describe, expect, test } from "vitest";
import { STATUSES } from "../../../core/status.ts";
import { HARD_NAMES } from "../hard-texts.ts";
import type { StoreHarness } from "../harness.ts";
import {
  LONG_AGO,
  sampleCallback,
  sampleChild,
  sampleItems,
  sampleReady,
  sampleSwarm,
  sampleTask,
} from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

/** Takes ready tasks by the names `a`, `b`… of this case; gives their ids without what stands in front. */
async function take(scene: Scene, slots: number, tasks: Record<string, number>): Promise<string[]> {
  const named = Object.entries(tasks).map(([name, room]) => [`${scene.id}${name}`, room] as const);
  const demand = { workerId: `${scene.id}w`, slots, tasks: new Map(named) };
  const records = await scene.ask((tx) => tx.ready(demand));
  return records.map(({ id }) => id.slice(scene.id.length));
}

function ready(
  scene: Scene,
  id: string,
  name: string,
  priority = 0,
  age = 0,
): ReturnType<typeof sampleReady> {
  return sampleReady(`${scene.id}${id}`, { name: `${scene.id}${name}`, priority, readyAt: LONG_AGO - age });
}

export function readyCases(harness: StoreHarness): void {
  describe("ready", () => {
    test(
      "gives ready tasks only, whole",
      onStore(harness, async (scene) => {
        await scene.insert(
          ...STATUSES.map((status) =>
            sampleTask(`${scene.id}${status}`, { status, name: scene.id, readyAt: LONG_AGO }),
          ),
        );
        const demand = { workerId: "w", slots: 100, tasks: new Map([[scene.id, 100]]) };
        expect(await scene.ask((tx) => tx.ready(demand))).toEqual([
          sampleTask(`${scene.id}READY`, { status: "READY", name: scene.id, readyAt: LONG_AGO }),
        ]);
      }),
    );

    test(
      "higher priority first, then the older, then the lower slot, then by the bytes of ids",
      onStore(harness, async (scene) => {
        await scene.insert(
          ready(scene, "low", "a", -1, 99),
          ready(scene, "young", "a", 0, 1),
          ready(scene, "old", "a", 0, 2),
          ready(scene, "high", "a", 10),
          ready(scene, ".2", "a", 5),
          ready(scene, ".10", "a", 5),
          ready(scene, ".Z", "a", 5),
          ready(scene, ".a", "a", 5),
          { ...ready(scene, "slot2", "a", 7), slot: 2 },
          { ...ready(scene, "slot10", "a", 7), slot: 10 },
        );
        expect(await take(scene, 100, { a: 100 })).toEqual([
          "high",
          "slot2",
          "slot10",
          ".10",
          ".2",
          ".Z",
          ".a",
          "old",
          "young",
          "low",
        ]);
      }),
    );

    test(
      "one order over all names",
      onStore(harness, async (scene) => {
        await scene.insert(
          ready(scene, "1", "a", 3),
          ready(scene, "2", "b", 4),
          ready(scene, "3", "c", 2, 5),
          ready(scene, "4", "a", 2, 6),
        );
        expect(await take(scene, 100, { a: 9, b: 9, c: 9 })).toEqual(["2", "1", "4", "3"]);
      }),
    );

    test(
      "no more than the slots in all",
      onStore(harness, async (scene) => {
        await scene.insert(
          ...["a", "b"].flatMap((name) => [1, 2, 3].map((n) => ready(scene, `${name}${n}`, name, n))),
        );
        expect(await take(scene, 4, { a: 9, b: 9 })).toEqual(["a3", "b3", "a2", "b2"]);
        expect(await take(scene, 0, { a: 9, b: 9 })).toEqual([]);
      }),
    );

    test(
      "for each name no more than its own number",
      onStore(harness, async (scene) => {
        await scene.insert(
          ...["a", "b"].flatMap((name) => [1, 2, 3].map((n) => ready(scene, `${name}${n}`, name, n))),
        );
        expect(await take(scene, 9, { a: 1, b: 2 })).toEqual(["a3", "b3", "b2"]);
        expect(await take(scene, 9, { a: 0, b: 1 })).toEqual(["b3"]);
      }),
    );

    test(
      "a name that is full does not stand in the way of others",
      onStore(harness, async (scene) => {
        const many = Array.from({ length: 600 }, (_, n) => ready(scene, `a${n}`, "a", 100));
        await scene.insert(...many, ready(scene, "b1", "b"), ready(scene, "b2", "b", 1));
        const taken = await take(scene, 3, { a: 1, b: 5 });
        expect(taken).toHaveLength(3);
        expect(taken.slice(1)).toEqual(["b2", "b1"]);
      }),
    );

    test(
      "leaves the names that the worker does not run",
      onStore(harness, async (scene) => {
        await scene.insert(ready(scene, "1", "a"), ready(scene, "2", "b", 9));
        expect(await take(scene, 9, { a: 9 })).toEqual(["1"]);
        expect(await take(scene, 9, {})).toEqual([]);
        expect(await take(scene, 9, { none: 9 })).toEqual([]);
      }),
    );

    test(
      "names that a database would confuse stay apart",
      onStore(harness, async (scene) => {
        await scene.insert(...HARD_NAMES.map((name, n) => ready(scene, `${n}`, name)));
        for (const [n, name] of HARD_NAMES.entries()) {
          const tasks = new Map([[`${scene.id}${name}`, 9]]);
          const taken = await scene.ask((tx) => tx.ready({ workerId: "w", slots: 9, tasks }));
          expect(taken.map(({ id }) => id)).toEqual([`${scene.id}${n}`]);
        }
      }),
    );

    test(
      "does not give what has been taken",
      onStore(harness, async (scene) => {
        await scene.insert(...Array.from({ length: 7 }, (_, n) => ready(scene, `${n}`, "a")));
        const demand = { workerId: "w", slots: 3, tasks: new Map([[`${scene.id}a`, 3]]) };
        const rounds: number[] = [];
        const taken = new Set<string>();
        for (let round = 0; round < 4; round++) {
          const records = await scene.store.transact(async (tx) => {
            const found = await tx.ready(demand);
            await tx.write({ update: found.map((task) => ({ ...task, status: "RUNNING", workerId: "w" })) });
            return found;
          });
          rounds.push(records.length);
          for (const { id } of records) taken.add(id);
        }
        expect(rounds).toEqual([3, 3, 1, 0]);
        expect(taken.size).toBe(7);
      }),
    );

    test(
      "many who take at once take each task once",
      onStore(harness, async (scene) => {
        await scene.insert(...Array.from({ length: 60 }, (_, n) => ready(scene, `${n}`, "a")));
        const taken = await Promise.all(
          Array.from({ length: 12 }, (_, n) =>
            scene.store.transact(async (tx) => {
              const workerId = `${scene.id}w${n}`;
              const found = await tx.ready({ workerId, slots: 5, tasks: new Map([[`${scene.id}a`, 5]]) });
              await tx.write({ update: found.map((task) => ({ ...task, status: "RUNNING", workerId })) });
              return found.map(({ id }) => id);
            }),
          ),
        );
        expect(new Set(taken.flat())).toHaveProperty("size", taken.flat().length);
      }),
    );

    test(
      "takes 500 of 1,500",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(
          ...sampleItems(swarm, 1_500, { status: "READY", readyAt: LONG_AGO, name: `${scene.id}a` }),
        );
        const taken = await take(scene, 500, { a: 500 });
        expect(taken).toEqual(Array.from({ length: 500 }, (_, slot) => `.${slot}`));
      }),
    );

    test(
      "gives nothing below what has changed since the transaction read it",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          const item = sampleChild(swarm, 0, { status: "RUNNING", workerId: "w" });
          const callback = sampleCallback(swarm, "success", 0, { status: "READY", readyAt: LONG_AGO });
          const last = sampleChild(swarm, 1, { status: "RUNNING", workerId: "v" });
          await scene.insert(swarm, item, last);
          const demand = { workerId: "w", slots: 9, tasks: new Map([[callback.name, 9]]) };
          const seen = await scene.ask(async (tx) => {
            await tx.lock([item.id], { wait: true });
            await tx.read([swarm.id]);
            await scene.ask(async (other) => {
              await other.lock([last.id], { wait: true });
              await other.lock([swarm.id], { wait: false });
              await other.write({ update: [{ ...swarm, status: "SUCCEEDED" }], insert: [callback] });
            });
            return tx.ready(demand);
          });
          expect(seen).toEqual([]);
          expect(await scene.ask((tx) => tx.ready(demand))).toEqual([callback]);
        },
        "rowLocks",
      ),
    );
  });

  describe("readyNames", () => {
    test(
      "counts ready tasks by name",
      onStore(harness, async (scene) => {
        await scene.insert(
          ready(scene, "1", "a"),
          ready(scene, "2", "a"),
          ready(scene, "3", "b"),
          sampleTask(`${scene.id}4`, { name: `${scene.id}c` }),
        );
        const names = await scene.store.readyNames();
        expect(names.get(`${scene.id}a`)).toBe(2);
        expect(names.get(`${scene.id}b`)).toBe(1);
        expect(names.has(`${scene.id}c`)).toBe(false);
      }),
    );

    test(
      "follows changes",
      onStore(harness, async (scene) => {
        const task = ready(scene, "1", "a");
        await scene.insert(task);
        await scene.update({ ...task, status: "RUNNING" });
        expect((await scene.store.readyNames()).has(task.name)).toBe(false);
      }),
    );

    test(
      "counts no further than 1,000",
      onStore(harness, async (scene) => {
        await scene.insert(...Array.from({ length: 1_100 }, (_, n) => ready(scene, `${n}`, "a")));
        expect((await scene.store.readyNames()).get(`${scene.id}a`)).toBe(1_000);
      }),
    );

    test(
      "names that a database would confuse stay apart",
      onStore(harness, async (scene) => {
        await scene.insert(...HARD_NAMES.map((name, n) => ready(scene, `${n}`, name)));
        const names = await scene.store.readyNames();
        for (const name of HARD_NAMES) expect(names.get(`${scene.id}${name}`)).toBe(1);
      }),
    );
  });
}
