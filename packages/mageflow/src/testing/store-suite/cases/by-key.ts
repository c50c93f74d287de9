import { describe, expect, test } from "vitest";
import { HARD_NAMES } from "../hard-texts.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleChild, sampleSwarm, sampleTask } from "../sample-record.ts";
import { onStore } from "../scene.ts";

export function byKeyCases(harness: StoreHarness): void {
  describe("byKey", () => {
    test(
      "finds the root of a key, inside a transaction and outside",
      onStore(harness, async (scene) => {
        const root = sampleTask(scene.id, { key: `key ${scene.id}` });
        await scene.insert(root);
        expect(await scene.store.byKey(`key ${scene.id}`)).toEqual(root);
        expect(await scene.ask((tx) => tx.byKey(`key ${scene.id}`))).toEqual(root);
      }),
    );

    test(
      "null for a key that nobody has",
      onStore(harness, async (scene) => {
        expect(await scene.store.byKey(scene.id)).toBeNull();
        expect(await scene.ask((tx) => tx.byKey(scene.id))).toBeNull();
      }),
    );

    test(
      "is free for another when its root gives it up, in the same transaction too",
      onStore(harness, async (scene) => {
        const key = `key ${scene.id}`;
        const first = sampleTask(`${scene.id}1`, { key });
        const second = sampleTask(`${scene.id}2`, { key });
        const third = sampleTask(`${scene.id}3`, { key });
        await scene.insert(first);
        await scene.write({ insert: [second], update: [{ ...first, key: null }] });
        expect(await scene.store.byKey(key)).toEqual(second);
        expect(await scene.get(first.id)).toEqual({ ...first, key: null });
        expect(
          await scene.insert(third).then(
            () => "stored",
            () => "refused",
          ),
        ).toBe("refused");
        await scene.update({ ...second, key: null });
        expect(await scene.ask((tx) => tx.byKey(key))).toBeNull();
        await scene.insert(third);
        expect(await scene.store.byKey(key)).toEqual(third);
      }),
    );

    test(
      "an item's key is not an idempotency key",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, sampleChild(swarm, 0, { key: scene.id }));
        expect(await scene.store.byKey(scene.id)).toBeNull();
      }),
    );

    test(
      "keys that a database would confuse stay apart",
      onStore(harness, async (scene) => {
        const roots = HARD_NAMES.map((text, n) =>
          sampleTask(`${scene.id}${n}`, { key: `${scene.id}${text}` }),
        );
        await scene.insert(...roots);
        for (const root of roots) expect(await scene.store.byKey(root.key!)).toEqual(root);
      }),
    );

    test(
      "finds nothing under keys that only look alike",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id, { key: `${scene.id}abc` }));
        for (const text of [
          "ABC",
          "abc ",
          " abc",
          "\u00e1bc",
          "ab_",
          "ab%",
          "abc\u200b",
          "abc\0",
          "abc\ud800",
        ]) {
          expect(await scene.store.byKey(`${scene.id}${text}`)).toBeNull();
        }
      }),
    );
  });

  describe("itemsByKey", () => {
    test(
      "finds the items of a swarm by their keys",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const items = ["a", "b", "c"].map((key, slot) => sampleChild(swarm, slot, { key }));
        await scene.insert(swarm, ...items);
        const found = await scene.ask((tx) => tx.itemsByKey(swarm.id, ["c", "none", "a"]));
        expect(new Set(found.map(({ id }) => id))).toEqual(new Set([items[0]!.id, items[2]!.id]));
      }),
    );

    test(
      "does not look into other swarms, nor at roots",
      onStore(harness, async (scene) => {
        const one = sampleSwarm(`${scene.id}one`, { key: scene.id });
        const two = sampleSwarm(`${scene.id}two`);
        await scene.insert(one, two, sampleChild(two, 0, { key: scene.id }));
        expect(await scene.ask((tx) => tx.itemsByKey(one.id, [scene.id]))).toEqual([]);
      }),
    );

    test(
      "nothing for no keys",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, sampleChild(swarm, 0));
        expect(await scene.ask((tx) => tx.itemsByKey(swarm.id, []))).toEqual([]);
      }),
    );

    test(
      "keys that a database would confuse stay apart",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const items = HARD_NAMES.map((key, slot) => sampleChild(swarm, slot, { key }));
        await scene.insert(swarm, ...items);
        for (const item of items) {
          expect(await scene.ask((tx) => tx.itemsByKey(swarm.id, [item.key!]))).toEqual([item]);
        }
        expect(await scene.ask((tx) => tx.itemsByKey(swarm.id, HARD_NAMES))).toHaveLength(items.length);
      }),
    );
  });
}
