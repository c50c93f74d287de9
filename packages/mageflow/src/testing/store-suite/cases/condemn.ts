import { describe, expect, test } from "vitest";
import type { StoreHarness } from "../harness.ts";
import { sampleEntry } from "../sample-entry.ts";
import { sampleLog } from "../sample-log.ts";
import { FAR_AHEAD, LONG_AGO, sampleChild, sampleItems, sampleSwarm, sampleTask } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";
import { HIDING, type Read, SHOWING, treeOf } from "../tree-reads.ts";

const READS: readonly Read[] = [...HIDING, ...SHOWING];

/** More than there should be: a store that never comes to an end fails instead of going on for ever. */
const CALLS = 100;

async function discardAll(scene: Scene, rootId: string, limit: number): Promise<number> {
  for (let calls = 1; calls < CALLS; calls++) {
    if (await scene.ask((tx) => tx.discard(rootId, limit))) return calls;
  }
  throw new Error(`${rootId} is not gone after ${CALLS} calls`);
}

/** One read after the other: some lock what they show, and leave out what others have locked. */
async function shownBy(scene: Scene): Promise<number[]> {
  const counts: number[] = [];
  for (const [, shown] of READS) counts.push(await shown(scene));
  return counts;
}

async function abandoned(scene: Scene, before = 1): Promise<string[]> {
  return scene.own(await scene.ask((tx) => tx.abandoned(before, 1_000)));
}

export function condemnCases(harness: StoreHarness): void {
  describe("condemn", () => {
    test.for(READS)(
      "%s shows nothing of it from that commit on, and the next of the same ids when it is gone",
      ([, shown], context) =>
        onStore(harness, async (scene) => {
          const { root, rest, belongings } = treeOf(scene.id);
          await scene.write({ insert: [root, ...rest], ...belongings });
          const before = await shown(scene);
          expect(before).toBeGreaterThan(0);
          await scene.write({ update: [{ ...root, key: null }], drafts: [{ condemn: root.id }] });
          expect(await shown(scene)).toBe(0);
          expect(await scene.ask((tx) => tx.discard(root.id, 1))).toBe(false);
          expect(await shown(scene)).toBe(0);
          await discardAll(scene, root.id, 3);
          expect(await shown(scene)).toBe(0);
          await scene.write({ insert: [root, ...rest], ...belongings });
          expect(await shown(scene)).toBe(before);
        })(context),
    );

    test(
      "its key is free at once, in the same transaction too",
      onStore(harness, async (scene) => {
        const [first, second, third] = ["1", "2", "3"].map((name) =>
          sampleTask(`${scene.id}${name}`, { key: scene.id }),
        );
        await scene.insert(first!);
        await scene.write({ drafts: [{ condemn: first!.id }] });
        await scene.insert(second!);
        expect(await scene.store.byKey(scene.id)).toEqual(second);
        await scene.write({
          update: [{ ...second!, key: null }],
          insert: [third!],
          drafts: [{ condemn: second!.id }],
        });
        expect(await scene.store.byKey(scene.id)).toEqual(third);
        await discardAll(scene, first!.id, 1);
        await discardAll(scene, second!.id, 1);
        expect(await scene.store.byKey(scene.id)).toEqual(third);
        await expect(scene.insert(sampleTask(`${scene.id}4`, { key: scene.id }))).rejects.toThrow(Error);
      }),
    );

    test(
      "is undone when its transaction fails",
      onStore(harness, async (scene) => {
        const { root, rest, belongings } = treeOf(scene.id);
        await scene.write({ insert: [root, ...rest], ...belongings });
        const before = await shownBy(scene);
        const failed = scene.store.transact(async (tx) => {
          await tx.write({ drafts: [{ condemn: root.id }] });
          throw new Error("stop");
        });
        await expect(failed).rejects.toThrow("stop");
        expect(await shownBy(scene)).toEqual(before);
        expect(await abandoned(scene)).toEqual([]);
      }),
    );

    test(
      "of what is not there, or was condemned before, fails",
      onStore(harness, async (scene) => {
        await expect(scene.write({ drafts: [{ condemn: `${scene.id}none` }] })).rejects.toThrow(Error);
        await scene.insert(sampleTask(scene.id));
        await scene.write({ drafts: [{ condemn: scene.id }] });
        await expect(scene.write({ drafts: [{ condemn: scene.id }] })).rejects.toThrow(Error);
      }),
    );

    test(
      "nothing of it can be changed, added or finished, and its ids are taken until it is gone",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        const items = sampleItems(root, 3);
        await scene.insert(root, ...items);
        await scene.write({ drafts: [{ condemn: root.id }] });
        const child = sampleChild(root, 9);
        for (const changes of [
          { update: [{ ...items[0]!, epoch: 1 }] },
          { insert: [child], drafts: [{ add: root.id }] },
          { drafts: [{ finish: root.id }] },
          { insert: [root] },
          { insert: [child], drafts: [{ begin: root.id }] },
        ])
          await expect(scene.write(changes)).rejects.toThrow(Error);
        expect(await scene.scan(null, 9)).toEqual([]);
        await discardAll(scene, root.id, 2);
        await scene.write({ insert: [child], drafts: [{ begin: root.id }] });
        await scene.write({ insert: [root], drafts: [{ finish: root.id }] });
        expect(await scene.scan(null, 9)).toEqual([root, child]);
      }),
    );

    test(
      "what is written about it afterwards is not shown either, and goes with it",
      onStore(harness, async (scene) => {
        const { root, rest, belongings } = treeOf(scene.id);
        await scene.insert(root, ...rest);
        await scene.write({ drafts: [{ condemn: root.id }] });
        await scene.write(belongings);
        const shown = (): Promise<number[]> =>
          Promise.all([
            scene.store.logCount(root.id, 9),
            scene.store.lastSeq(root.id),
            scene.store.logs({ rootId: root.id, after: 0, limit: 9 }).then(({ length }) => length),
            scene.store.notes(`${root.id}.0`, 1).then(({ steps }) => steps.size),
          ]);
        expect(await shown()).toEqual([0, 0, 0, 0]);
        await discardAll(scene, root.id, 100);
        expect(await shown()).toEqual([0, 0, 0, 0]);
      }),
    );

    test(
      "leaves the tombstone, the audit trail and the reports",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        const what = { name: "n", kind: "task", status: "FAILED", action: "delete" } as const;
        const tombstone = { id: scene.id, ...what, at: 7, by: "somebody", reason: null, stub: null };
        await scene.write({ tombstones: [tombstone], drafts: [{ condemn: scene.id }] });
        expect(await scene.store.tombstone(scene.id)).toEqual(tombstone);
        await discardAll(scene, scene.id, 10);
        expect(await scene.store.tombstone(scene.id)).toEqual(tombstone);
      }),
    );

    test(
      "is abandoned from the beginning of time, until it is gone",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(`${scene.id}a`), sampleTask(`${scene.id}b`));
        await scene.write({ drafts: [{ condemn: `${scene.id}a` }, { condemn: `${scene.id}b` }] });
        expect(new Set(await abandoned(scene))).toEqual(new Set([`${scene.id}a`, `${scene.id}b`]));
        expect(await scene.ask((tx) => tx.abandoned(1, 1))).toHaveLength(1);
        await discardAll(scene, `${scene.id}a`, 10);
        expect(await abandoned(scene)).toEqual([`${scene.id}b`]);
        expect(await abandoned(scene, FAR_AHEAD)).toEqual([`${scene.id}b`]);
      }),
    );

    test(
      "window by window it is removed with everything that belongs to it, of which there may be more",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id, { tags: [scene.id] });
        const items = sampleItems(root, 25, { createdAt: LONG_AGO + 1 });
        const at = items.map(({ id }) => ({ id, generation: 1 }));
        const belongings = {
          specs: items.map(({ slot }) => ({ rootId: root.id, id: `${slot}`, body: "{}" })),
          journal: new Map([[root.id, items.map(({ id }) => sampleEntry(id))]]),
          logs: items.flatMap(({ id }) =>
            ["a", "b", "c"].map((text) => sampleLog(id, text, { rootId: root.id })),
          ),
          steps: at.flatMap((one) => ["a", "b"].map((name) => ({ ...one, name, result: "1" }))),
          checkpoints: at.map((one) => ({ ...one, body: "1" })),
          progress: at.map((one) => ({ ...one, progress: { fraction: 1, note: null } })),
        };
        await scene.write({ insert: [root, ...items], ...belongings });
        await scene.write({ drafts: [{ condemn: root.id }] });
        expect(await discardAll(scene, root.id, 10)).toBeGreaterThan(2);
        expect(await abandoned(scene, FAR_AHEAD)).toEqual([]);
        await scene.insert({ ...root, tags: [] }, ...items);
        const tagged = { roots: true, tag: scene.id, after: null, limit: 9 };
        expect(await scene.store.list(tagged)).toEqual([]);
        expect(await scene.store.specs(belongings.specs)).toEqual([]);
        expect(await scene.store.lastSeq(root.id)).toBe(0);
        expect(await scene.store.logCount(root.id, 9)).toBe(0);
        for (const { id } of items) {
          const nothing = { steps: new Map(), checkpoint: null, progress: null };
          expect(await scene.store.notes(id, 1)).toEqual(nothing);
        }
      }),
    );

    test(
      "leaves what belongs to workflows whose ids begin alike",
      onStore(harness, async (scene) => {
        const others = ["1", "-", "x"].map((name) => treeOf(`${scene.id}${name}`));
        for (const { root, rest, belongings } of [treeOf(scene.id), ...others])
          await scene.write({ insert: [root, ...rest], ...belongings });
        await scene.write({ drafts: [{ condemn: scene.id }] });
        await discardAll(scene, scene.id, 4);
        for (const { root, rest, belongings } of others) {
          expect(await scene.store.get([root.id, ...rest.map(({ id }) => id)])).toHaveLength(rest.length + 1);
          expect(await scene.store.specs(belongings.specs!)).toEqual(belongings.specs);
          expect(await scene.store.lastSeq(root.id)).toBe(2);
          expect(await scene.store.logCount(root.id, 9)).toBe(2);
          expect(await scene.store.notes(`${root.id}.0`, 1)).toEqual({
            steps: new Map([["a", "1"]]),
            checkpoint: "1",
            progress: { fraction: 1, note: null },
          });
        }
      }),
    );
  });
}
