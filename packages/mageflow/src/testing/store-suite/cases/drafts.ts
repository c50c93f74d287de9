import { describe, expect, test } from "vitest";
import type { SignatureRecord } from "../../../core/record.ts";
import type { StoreHarness } from "../harness.ts";
import {
  FAR_AHEAD,
  LONG_AGO,
  sampleChild,
  sampleItems,
  sampleReady,
  sampleSwarm,
  sampleTask,
} from "../sample-record.ts";
import { onStore } from "../scene.ts";
import { HIDING, SHOWING, treeOf } from "../tree-reads.ts";

type Three = [SignatureRecord, SignatureRecord, SignatureRecord];

export function draftsCases(harness: StoreHarness): void {
  describe("drafts", () => {
    test.for(HIDING)("%s shows it only when it is finished", ([, shown], context) =>
      onStore(harness, async (scene) => {
        const { root, rest, belongings } = treeOf(scene.id);
        await scene.write({ insert: rest, ...belongings, drafts: [{ begin: root.id }] });
        expect(await shown(scene)).toBe(0);
        await scene.write({ insert: [root], drafts: [{ add: root.id }] });
        expect(await shown(scene)).toBe(0);
        await scene.write({ drafts: [{ finish: root.id }] });
        expect(await shown(scene)).toBeGreaterThan(0);
      })(context),
    );

    test.for(SHOWING)("%s in a transaction shows it to who writes it", ([, shown], context) =>
      onStore(harness, async (scene) => {
        const { root, rest, belongings } = treeOf(scene.id);
        await scene.write({ insert: rest, ...belongings, drafts: [{ begin: root.id }] });
        expect(await shown(scene)).toBe(1);
        await scene.write({ insert: [root], drafts: [{ finish: root.id }] });
        expect(await shown(scene)).toBe(1);
      })(context),
    );

    test(
      "has no key before it is finished, even when its root is in it",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id, { key: scene.id });
        await scene.write({ insert: [sampleChild(root, 0), root], drafts: [{ begin: root.id }] });
        expect(await scene.store.byKey(scene.id)).toBeNull();
        expect(await scene.ask((tx) => tx.byKey(scene.id))).toBeNull();
        await scene.write({ drafts: [{ finish: root.id }] });
        expect(await scene.ask((tx) => tx.byKey(scene.id))).toEqual(root);
      }),
    );

    test(
      "what is in it can be started by the transaction that finishes it",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        await scene.write({ insert: sampleItems(root, 4), drafts: [{ begin: root.id }] });
        await scene.store.transact(async (tx) => {
          const items = await tx.window({ id: root.id, what: "start", limit: 3 });
          const update = items.map((item): SignatureRecord => ({
            ...item,
            status: "READY",
            readyAt: tx.now,
          }));
          await tx.write({ insert: [root], update, drafts: [{ finish: root.id }] });
        });
        const statuses = (await scene.scan(null, 9)).map(({ status }) => status);
        expect(statuses).toEqual(["RUNNING", "READY", "READY", "READY", "PENDING"]);
        expect((await scene.store.readyNames()).get(sampleChild(root, 0).name)).toBe(3);
      }),
    );

    test(
      "several begin and finish in one write",
      onStore(harness, async (scene) => {
        const [a, b, c] = ["a", "b", "c"].map((name) => sampleSwarm(`${scene.id}${name}`)) as Three;
        await scene.write({
          insert: [sampleChild(a, 0), sampleChild(b, 0)],
          drafts: [{ begin: a.id }, { begin: b.id }],
        });
        expect(await scene.scan(null, 9)).toEqual([]);
        await scene.write({
          insert: [a, sampleChild(c, 0), b],
          drafts: [{ finish: a.id }, { begin: c.id }, { finish: b.id }],
        });
        expect((await scene.scan(null, 9)).map(({ rootId }) => rootId)).toEqual([a.id, a.id, b.id, b.id]);
      }),
    );

    test(
      "what was discarded cannot be finished",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        await scene.write({ insert: [sampleChild(root, 0)], drafts: [{ begin: root.id }] });
        while (!(await scene.ask((tx) => tx.discard(root.id, 10))));
        await expect(scene.write({ insert: [root], drafts: [{ finish: root.id }] })).rejects.toThrow(Error);
        expect(await scene.scan(null, 9)).toEqual([]);
      }),
    );

    test(
      "what is being discarded takes nothing more and cannot be finished",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        const children = [0, 1, 2].map((slot) => sampleChild(root, slot));
        await scene.write({ insert: children, drafts: [{ begin: root.id }] });
        expect(await scene.ask((tx) => tx.discard(root.id, 1))).toBe(false);
        await expect(
          scene.write({ insert: [sampleChild(root, 3)], drafts: [{ add: root.id }] }),
        ).rejects.toThrow(Error);
        await expect(scene.write({ insert: [root], drafts: [{ finish: root.id }] })).rejects.toThrow(Error);
        while (!(await scene.ask((tx) => tx.discard(root.id, 10))));
        expect(await scene.scan(null, 9)).toEqual([]);
      }),
    );

    test(
      "finishing shows all that was stored in several transactions",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        const items = sampleItems(root, 900);
        await scene.write({ insert: items.slice(0, 300), drafts: [{ begin: root.id }] });
        await scene.insert(...items.slice(300, 600));
        expect(await scene.scan(null, 9)).toEqual([]);
        await scene.write({ insert: [...items.slice(600), root], drafts: [{ finish: root.id }] });
        expect(await scene.scan(null, 1_000)).toHaveLength(901);
        expect(await scene.ask((tx) => tx.window({ id: root.id, what: "start", limit: 1_000 }))).toEqual(
          items,
        );
      }),
    );

    test(
      "beginning and finishing may be one write",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        await scene.write({
          insert: [sampleChild(root, 0), root],
          drafts: [{ begin: root.id }, { finish: root.id }],
        });
        expect(await scene.scan(null, 9)).toHaveLength(2);
        expect(scene.own(await scene.ask((tx) => tx.abandoned(FAR_AHEAD, 1_000)))).toEqual([]);
      }),
    );

    test(
      "specs that came with it are there when it is finished",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        const specs = ["0", "1"].map((id) => ({ rootId: root.id, id, body: id }));
        await scene.write({
          insert: [sampleChild(root, 0)],
          specs: specs.slice(0, 1),
          drafts: [{ begin: root.id }],
        });
        await scene.write({ insert: [root], specs: specs.slice(1), drafts: [{ finish: root.id }] });
        expect(new Set(await scene.store.specs(specs))).toEqual(new Set(specs));
      }),
    );

    test(
      "hides nothing of other workflows",
      onStore(harness, async (scene) => {
        const [hidden, plain] = [sampleSwarm(`${scene.id}1`), sampleSwarm(`${scene.id}11`)];
        await scene.write({ insert: [sampleChild(hidden, 0)], drafts: [{ begin: hidden.id }] });
        await scene.insert(plain, sampleChild(plain, 0));
        expect((await scene.scan(null, 9)).map(({ rootId }) => rootId)).toEqual([plain.id, plain.id]);
        expect(await scene.ask((tx) => tx.window({ id: plain.id, what: "start", limit: 9 }))).toHaveLength(1);
      }),
    );

    test(
      "does not begin when its transaction fails",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        const failed = scene.store.transact(async (tx) => {
          await tx.write({ insert: [sampleChild(root, 0)], drafts: [{ begin: root.id }] });
          throw new Error("stop");
        });
        await expect(failed).rejects.toThrow("stop");
        await scene.insert(root, sampleChild(root, 0));
        expect(await scene.scan(null, 9)).toHaveLength(2);
        expect(scene.own(await scene.ask((tx) => tx.abandoned(FAR_AHEAD, 1_000)))).toEqual([]);
      }),
    );

    test(
      "stays hidden when finishing it fails",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id, { key: scene.id });
        await scene.insert(sampleTask(`${scene.id}other`, { key: scene.id }));
        await scene.write({ insert: [sampleChild(root, 0)], drafts: [{ begin: root.id }] });
        await expect(scene.write({ insert: [root], drafts: [{ finish: root.id }] })).rejects.toThrow(Error);
        expect(await scene.store.get([root.id, `${root.id}.0`])).toEqual([]);
        expect(scene.own(await scene.ask((tx) => tx.abandoned(FAR_AHEAD, 1_000)))).toEqual([root.id]);
      }),
    );

    test(
      "its ids are taken",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        await scene.write({ insert: [sampleChild(root, 0)], drafts: [{ begin: root.id }] });
        await expect(scene.insert(sampleChild(root, 0))).rejects.toThrow(Error);
      }),
    );

    test(
      "one root is drafted once",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        await scene.write({ insert: [sampleChild(root, 0)], drafts: [{ begin: root.id }] });
        const again = scene.write({ insert: [sampleChild(root, 1)], drafts: [{ begin: root.id }] });
        await expect(again).rejects.toThrow(Error);
      }),
    );
  });

  describe("abandoned", () => {
    test(
      "roots of drafts begun before an instant and never finished",
      onStore(harness, async (scene) => {
        const roots = ["a", "b", "c"].map((name) => sampleSwarm(`${scene.id}${name}`));
        let begun = 0;
        for (const root of roots) {
          begun = await scene.write({ insert: [sampleChild(root, 0)], drafts: [{ begin: root.id }] });
        }
        await scene.write({ insert: [roots[1]!], drafts: [{ finish: roots[1]!.id }] });
        const abandoned = async (before: number): Promise<Set<string>> =>
          new Set(scene.own(await scene.ask((tx) => tx.abandoned(before, 1_000))));
        expect(await abandoned(begun + 1)).toEqual(new Set([roots[0]!.id, roots[2]!.id]));
        expect((await abandoned(begun)).has(roots[2]!.id)).toBe(false);
        expect(await abandoned(LONG_AGO)).toEqual(new Set());
        expect(await scene.ask((tx) => tx.abandoned(FAR_AHEAD, 1))).toHaveLength(1);
      }),
    );
  });

  describe("discard", () => {
    test(
      "removes a draft bit by bit and tells when it is gone",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        await scene.write({ insert: sampleItems(root, 25), drafts: [{ begin: root.id }] });
        const discard = (): Promise<boolean> => scene.ask((tx) => tx.discard(root.id, 10));
        expect([await discard(), await discard()]).toEqual([false, false]);
        expect(scene.own(await scene.ask((tx) => tx.abandoned(FAR_AHEAD, 1_000)))).toEqual([root.id]);
        let calls = 0;
        while (!(await discard())) expect(++calls).toBeLessThan(5);
        expect(scene.own(await scene.ask((tx) => tx.abandoned(FAR_AHEAD, 1_000)))).toEqual([]);
        expect(await scene.scan(null, 9)).toEqual([]);
      }),
    );

    test(
      "its ids, keys and specs are free again",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        const specs = [{ rootId: root.id, id: "0", body: "{}" }];
        const item = sampleChild(root, 0, { key: "a" });
        await scene.write({ insert: [item], specs, drafts: [{ begin: root.id }] });
        while (!(await scene.ask((tx) => tx.discard(root.id, 10))));
        await scene.write({ insert: [root, item], specs });
        expect(await scene.scan(null, 9)).toEqual([root, item]);
      }),
    );

    test(
      "a discarded root can be drafted again",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        await scene.write({ insert: sampleItems(root, 3), drafts: [{ begin: root.id }] });
        while (!(await scene.ask((tx) => tx.discard(root.id, 10))));
        await scene.write({ insert: [sampleChild(root, 7)], drafts: [{ begin: root.id }] });
        await scene.write({ insert: [root], drafts: [{ finish: root.id }] });
        expect((await scene.scan(null, 9)).map(({ id }) => id)).toEqual([root.id, `${root.id}.7`]);
      }),
    );

    test(
      "is undone when its transaction fails",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        await scene.write({ insert: sampleItems(root, 3), drafts: [{ begin: root.id }] });
        const failed = scene.store.transact(async (tx) => {
          await tx.discard(root.id, 10);
          throw new Error("stop");
        });
        await expect(failed).rejects.toThrow("stop");
        await scene.write({ insert: [root], drafts: [{ finish: root.id }] });
        expect(await scene.scan(null, 9)).toHaveLength(4);
      }),
    );

    test(
      "removes nothing of what is no draft",
      onStore(harness, async (scene) => {
        const root = sampleSwarm(scene.id);
        await scene.write({ insert: [sampleChild(root, 0)], drafts: [{ begin: root.id }] });
        await scene.write({ insert: [root], drafts: [{ finish: root.id }] });
        expect(await scene.ask((tx) => tx.discard(root.id, 10))).toBe(true);
        expect(await scene.ask((tx) => tx.discard(`${scene.id}none`, 10))).toBe(true);
        expect(await scene.scan(null, 9)).toHaveLength(2);
      }),
    );

    test(
      "leaves other drafts and workflows",
      onStore(harness, async (scene) => {
        const [one, eleven] = [sampleSwarm(`${scene.id}1`), sampleSwarm(`${scene.id}11`)];
        await scene.write({ insert: [sampleChild(one, 0)], drafts: [{ begin: one.id }] });
        await scene.write({ insert: [sampleChild(eleven, 0)], drafts: [{ begin: eleven.id }] });
        await scene.insert(sampleReady(`${scene.id}plain`));
        while (!(await scene.ask((tx) => tx.discard(one.id, 10))));
        await scene.write({ insert: [eleven], drafts: [{ finish: eleven.id }] });
        expect(await scene.scan(null, 9)).toHaveLength(3);
      }),
    );
  });
}
