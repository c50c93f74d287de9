import { describe, expect, test } from "vitest";
import type { Deletion, SignatureRecord } from "../../../core/record.ts";
import { STATUSES } from "../../../core/status.ts";
import type { StoreHarness } from "../harness.ts";
import { FAR_AHEAD, LONG_AGO, sampleTask } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

function marked(scene: Scene, name: string, purgeAt: number): SignatureRecord {
  const deletion: Deletion = {
    markedAt: 1,
    purgeAt,
    action: "retention",
    by: "somebody",
    reason: null,
    generation: 1,
    stub: true,
    purged: false,
  };
  return sampleTask(`${scene.id}${name}`, { deletion });
}

async function purgeable(scene: Scene, limit = 1_000): Promise<string[]> {
  const records = await scene.ask((tx) => tx.purgeable(limit));
  return scene.own(records).map(({ id }) => id.slice(scene.id.length));
}

export function purgeableCases(harness: StoreHarness): void {
  describe("purgeable", () => {
    test(
      "gives roots whose time has come, whole",
      onStore(harness, async (scene) => {
        const past = marked(scene, "past", LONG_AGO);
        await scene.insert(past, marked(scene, "ahead", FAR_AHEAD), sampleTask(`${scene.id}unmarked`));
        expect(scene.own(await scene.ask((tx) => tx.purgeable(1_000)))).toEqual([past]);
      }),
    );

    test(
      "the instant itself has come",
      onStore(harness, async (scene) => {
        await scene.store.transact((tx) => tx.write({ insert: [marked(scene, "now", tx.now)] }));
        expect(await purgeable(scene)).toEqual(["now"]);
      }),
    );

    test(
      "whatever their status",
      onStore(harness, async (scene) => {
        await scene.insert(...STATUSES.map((status) => ({ ...marked(scene, status, LONG_AGO), status })));
        expect(new Set(await purgeable(scene))).toEqual(new Set(STATUSES));
      }),
    );

    test(
      "those first that are due longest, no more than the limit",
      onStore(harness, async (scene) => {
        const instants = { b: 1_000, d: 100, a: 20, c: 9 };
        await scene.insert(...Object.entries(instants).map(([name, at]) => marked(scene, name, at)));
        expect(await purgeable(scene)).toEqual(["c", "a", "d", "b"]);
        expect(await purgeable(scene, 3)).toEqual(["c", "a", "d"]);
      }),
    );

    test(
      "follows changes of the mark",
      onStore(harness, async (scene) => {
        const root = marked(scene, "root", FAR_AHEAD);
        await scene.insert(root);
        await scene.update({ ...root, deletion: { ...root.deletion!, purgeAt: LONG_AGO } });
        expect(await purgeable(scene)).toEqual(["root"]);
        await scene.update(root);
        expect(await purgeable(scene)).toEqual([]);
        await scene.update({ ...root, deletion: { ...root.deletion!, purgeAt: LONG_AGO } });
        await scene.update({ ...root, deletion: null });
        expect(await purgeable(scene)).toEqual([]);
      }),
    );
  });
}
