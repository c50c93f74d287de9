import { describe, expect, test } from "vitest";
import type { SignatureRecord } from "../../../core/record.ts";
import type { ChildQuery, Store } from "../../../ports/store.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleCallback, sampleChild, sampleItems, sampleSwarm, sampleTask } from "../sample-record.ts";
import { onStore } from "../scene.ts";

async function slots(store: Store, query: Partial<ChildQuery> & { parentId: string }): Promise<number[]> {
  const found = await store.children({ of: "children", after: null, limit: 100, ...query });
  return found.map(({ slot }) => slot);
}

async function ids(store: Store, query: Partial<ChildQuery> & { parentId: string }): Promise<string[]> {
  const found = await store.children({ of: "callbacks", after: null, limit: 100, ...query });
  return found.map(({ id }) => id);
}

/** More than there should be: a store that repeats a page fails instead of going on for ever. */
const PAGES = 20;

export function childrenCases(harness: StoreHarness): void {
  describe("children", () => {
    test(
      "come in the order of slots, as numbers",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, ...[10, 2, 0, 100, 9, 1].map((slot) => sampleChild(swarm, slot)));
        expect(await slots(scene.store, { parentId: swarm.id })).toEqual([0, 1, 2, 9, 10, 100]);
      }),
    );

    test(
      "are whole records",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const item = sampleChild(swarm, 0, { key: "a", bound: '{"a":1}', tags: ["x"] });
        await scene.insert(swarm, item);
        const query = { parentId: swarm.id, of: "children", after: null, limit: 9 } as const;
        expect(await scene.store.children(query)).toEqual([item]);
      }),
    );

    test(
      "are steps of a chain or items of a swarm, without callbacks and what is deeper",
      onStore(harness, async (scene) => {
        const chain = sampleSwarm(scene.id, { kind: "chain" });
        const inner = sampleChild(chain, 0, { kind: "swarm" });
        await scene.insert(
          chain,
          inner,
          sampleChild(chain, 1),
          sampleChild(inner, 5),
          sampleCallback(chain, "success", 2),
          sampleCallback(inner, "itemError", 3),
        );
        expect(await slots(scene.store, { parentId: chain.id })).toEqual([0, 1]);
        expect(await slots(scene.store, { parentId: inner.id })).toEqual([5]);
      }),
    );

    test(
      "those of a parent whose id begins alike are not among them",
      onStore(harness, async (scene) => {
        const one = sampleSwarm(`${scene.id}1`);
        const eleven = sampleSwarm(`${scene.id}11`);
        await scene.insert(one, eleven, sampleChild(one, 1), sampleChild(eleven, 2));
        expect(await slots(scene.store, { parentId: one.id })).toEqual([1]);
      }),
    );

    test(
      "none of a task, or of what does not exist",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        expect(await slots(scene.store, { parentId: scene.id })).toEqual([]);
        expect(await ids(scene.store, { parentId: `${scene.id}none` })).toEqual([]);
      }),
    );

    test(
      "no more than the limit, those beyond `after`",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, ...sampleItems(swarm, 12));
        expect(await slots(scene.store, { parentId: swarm.id, limit: 3 })).toEqual([0, 1, 2]);
        expect(await slots(scene.store, { parentId: swarm.id, after: 2, limit: 3 })).toEqual([3, 4, 5]);
        expect(await slots(scene.store, { parentId: swarm.id, after: 0, limit: 1 })).toEqual([1]);
        expect(await slots(scene.store, { parentId: swarm.id, after: 9, limit: 3 })).toEqual([10, 11]);
        expect(await slots(scene.store, { parentId: swarm.id, after: 11, limit: 3 })).toEqual([]);
      }),
    );

    test(
      "those with one of the statuses",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const statuses = ["PENDING", "READY", "RUNNING", "FAILED", "PENDING", "SUCCEEDED", "FAILED"] as const;
        await scene.insert(
          swarm,
          ...statuses.map((status, slot) => sampleChild(swarm, slot, { status, readyAt: 1 })),
        );
        const { store } = scene;
        expect(await slots(store, { parentId: swarm.id, statuses: ["FAILED"] })).toEqual([3, 6]);
        expect(await slots(store, { parentId: swarm.id, statuses: ["FAILED", "PENDING"] })).toEqual([
          0, 3, 4, 6,
        ]);
        expect(
          await slots(store, { parentId: swarm.id, statuses: ["FAILED", "PENDING"], after: 0, limit: 2 }),
        ).toEqual([3, 4]);
        expect(await slots(store, { parentId: swarm.id, statuses: ["CANCELLED"] })).toEqual([]);
      }),
    );

    test(
      "a change of status moves a child from one to the other",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const item = sampleChild(swarm, 0);
        await scene.insert(swarm, item);
        await scene.update({ ...item, status: "SUCCEEDED" });
        expect(await slots(scene.store, { parentId: swarm.id, statuses: ["PENDING"] })).toEqual([]);
        expect(await slots(scene.store, { parentId: swarm.id, statuses: ["SUCCEEDED"] })).toEqual([0]);
      }),
    );

    test(
      "paging meets each once while items are added behind",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, ...sampleItems(swarm, 10));
        const met: number[] = [];
        for (let added = 10; added < 10 + PAGES; added++) {
          const page = await slots(scene.store, { parentId: swarm.id, after: met.at(-1) ?? null, limit: 4 });
          if (page.length === 0) break;
          met.push(...page);
          if (added < 14) await scene.insert(sampleChild(swarm, added));
        }
        expect(met).toEqual(Array.from({ length: 14 }, (_, slot) => slot));
      }),
    );

    test(
      "callbacks come in the order of ids, all outcomes and generations",
      onStore(harness, async (scene) => {
        const task = sampleTask(scene.id);
        const again: SignatureRecord = { ...task, generation: 2 };
        const callbacks = [
          sampleCallback(task, "success", 0),
          sampleCallback(task, "error", 0),
          sampleCallback(task, "cleanup", 1),
          sampleCallback(task, "cleanup", 0),
          sampleCallback(again, "cleanup", 0),
          sampleCallback(task, "itemSuccess", 0),
        ];
        await scene.insert(task, ...callbacks, sampleCallback(callbacks[0]!, "success", 0));
        const sorted = callbacks.map(({ id }) => id).toSorted();
        expect(await ids(scene.store, { parentId: task.id })).toEqual(sorted);
        expect(await ids(scene.store, { parentId: task.id, limit: 2 })).toEqual(sorted.slice(0, 2));
        expect(await ids(scene.store, { parentId: task.id, after: sorted[1]! })).toEqual(sorted.slice(2));
      }),
    );

    test(
      "callbacks with one of the statuses",
      onStore(harness, async (scene) => {
        const task = sampleTask(scene.id);
        const failed = sampleCallback(task, "cleanup", 1, { status: "FAILED" });
        await scene.insert(task, sampleCallback(task, "cleanup", 0), failed);
        expect(await ids(scene.store, { parentId: task.id, statuses: ["FAILED"] })).toEqual([failed.id]);
      }),
    );

    test(
      "callbacks do not come with steps and items",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const callback = sampleCallback(swarm, "success", 0);
        await scene.insert(swarm, sampleChild(swarm, 0), callback);
        expect(await ids(scene.store, { parentId: swarm.id })).toEqual([callback.id]);
      }),
    );
  });
}
