import { describe, expect, test } from "vitest";
import type { SignatureRecord } from "../../../core/record.ts";
import type { StoreHarness } from "../harness.ts";
import { fullRecord, sampleChild, sampleItems, sampleSwarm, sampleTask } from "../sample-record.ts";
import { onStore } from "../scene.ts";

/** What never changes of a record. */
function fixed({
  id,
  rootId,
  parentId,
  role,
  slot,
  key,
  kind,
  name,
  spec,
  bound,
  createdAt,
}: SignatureRecord) {
  return { id, rootId, parentId, role, slot, key, kind, name, spec, bound, createdAt };
}

export function writeCases(harness: StoreHarness): void {
  describe("write", () => {
    test(
      "of nothing changes nothing",
      onStore(harness, async (scene) => {
        await scene.write({});
        await scene.write({ insert: [], update: [], specs: [], journal: new Map(), logs: [], workers: [] });
        expect(await scene.scan(null, 9)).toEqual([]);
      }),
    );

    test(
      "an update fills every field that may change",
      onStore(harness, async (scene) => {
        const empty = sampleTask(scene.id);
        const full = { ...fullRecord(scene.id), ...fixed(empty) };
        await scene.insert(empty);
        await scene.update(full);
        expect(await scene.get(scene.id)).toEqual(full);
      }),
    );

    test(
      "an update empties every field that may change",
      onStore(harness, async (scene) => {
        const full = fullRecord(scene.id);
        const empty = { ...sampleTask(scene.id), ...fixed(full) };
        await scene.insert(full);
        await scene.update(empty);
        expect(await scene.get(scene.id)).toEqual(empty);
      }),
    );

    test(
      "an update touches no other record",
      onStore(harness, async (scene) => {
        const records = ["a", "b", "c"].map((name) =>
          fullRecord(`${scene.id}${name}`, { parentId: name, key: null }),
        );
        await scene.insert(...records);
        await scene.update({ ...records[1]!, epoch: 99 });
        expect(await scene.scan(null, 9)).toEqual([records[0], { ...records[1]!, epoch: 99 }, records[2]]);
      }),
    );

    test(
      "many different updates land each on its record",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const items = sampleItems(swarm, 700);
        await scene.insert(...items);
        const updated = items.map((item, n): SignatureRecord => {
          if (n % 3 === 0) return { ...item, status: "READY", readyAt: n };
          if (n % 3 === 1)
            return { ...item, status: "SUCCEEDED", result: `${n}`, finishedAt: n, milestone: 3 };
          return { ...item, status: "FAILED", error: { name: "E", message: `${n}`, attempts: n, path: [] } };
        });
        await scene.update(...updated.toReversed());
        const found = await scene.store.get(items.map(({ id }) => id));
        expect(found.toSorted((a, b) => a.slot - b.slot)).toEqual(updated);
      }),
    );

    test(
      "inserts and updates of one transaction land together",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm);
        await scene.write({ insert: [sampleChild(swarm, 0)], update: [{ ...swarm, epoch: 1 }] });
        expect(await scene.scan(null, 9)).toEqual([{ ...swarm, epoch: 1 }, sampleChild(swarm, 0)]);
      }),
    );

    test(
      "the last of several updates in one transaction counts",
      onStore(harness, async (scene) => {
        const task = sampleTask(scene.id);
        await scene.insert(task);
        await scene.ask(async (tx) => {
          await tx.lock([task.id], { wait: true });
          for (let epoch = 1; epoch <= 3; epoch++) await tx.write({ update: [{ ...task, epoch }] });
        });
        expect((await scene.get(task.id))?.epoch).toBe(3);
      }),
    );

    test(
      "children may be stored before their parent, and without it",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(sampleChild(swarm, 1), sampleChild(swarm, 0), swarm);
        await scene.insert(sampleChild(sampleSwarm(`${scene.id}later`), 0));
        expect(await scene.scan(null, 9)).toHaveLength(4);
      }),
    );

    test(
      "takes 5,000 records at once",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(
          swarm,
          ...sampleItems(swarm, 5_000, { bound: '{"url":"https://example.com/image.png"}' }),
        );
        expect((await scene.store.tally(swarm.id, ["PENDING"])).get("PENDING")).toBe(5_000);
      }),
    );

    test(
      "takes 10 MiB of payload at once",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const bound = JSON.stringify("x".repeat(1_048_574));
        const items = sampleItems(swarm, 10, { bound });
        await scene.insert(...items);
        const found = await scene.store.get(items.map(({ id }) => id));
        expect(found.every((item) => item.bound === bound)).toBe(true);
      }),
    );

    test(
      "keeps nothing of the arrays that it was given",
      onStore(harness, async (scene) => {
        const steps = [{ id: scene.id, generation: 1, name: "a", result: "1" }];
        const insert = [sampleTask(scene.id)];
        await scene.write({ insert, steps });
        insert.pop();
        steps[0]!.result = "2";
        expect(await scene.get(scene.id)).toBeDefined();
        expect((await scene.store.notes(scene.id, 1)).steps.get("a")).toBe("1");
      }),
    );
  });
}
