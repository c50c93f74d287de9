import { describe, expect, test } from "vitest";
import { STATUSES } from "../../../core/status.ts";
import type { Tombstone } from "../../../ports/store.ts";
import { HARD_NAMES } from "../hard-texts.ts";
import type { StoreHarness } from "../harness.ts";
import { FAR_AHEAD, fullRecord } from "../sample-record.ts";
import { stubOf } from "../../../core/stub.ts";
import { onStore } from "../scene.ts";

function tombstone(id: string, other: Partial<Tombstone> = {}): Tombstone {
  const what = { name: "n", kind: "chain", status: "FAILED", action: "retention" } as const;
  return { id, ...what, at: 7, by: "somebody", reason: null, stub: null, ...other };
}

export function tombstoneCases(harness: StoreHarness): void {
  describe("tombstone", () => {
    test(
      "comes back as it was written, with a stub and without",
      onStore(harness, async (scene) => {
        const plain = tombstone(`${scene.id}a`);
        const kept = tombstone(`${scene.id}b`, { reason: "old", stub: stubOf(fullRecord("r")) });
        await scene.write({ tombstones: [plain, kept] });
        expect(await scene.store.tombstone(plain.id)).toEqual(plain);
        expect(await scene.store.tombstone(kept.id)).toEqual(kept);
        expect(await scene.store.tombstone(scene.id)).toBeNull();
      }),
    );

    test(
      "of each action, kind and status",
      onStore(harness, async (scene) => {
        const tombstones = (["cancel", "delete", "retention"] as const).flatMap((action) =>
          (["task", "chain", "swarm"] as const).flatMap((kind) =>
            STATUSES.map((status) =>
              tombstone(`${scene.id}${action}${kind}${status}`, { action, kind, status }),
            ),
          ),
        );
        await scene.write({ tombstones });
        for (const one of tombstones) expect(await scene.store.tombstone(one.id)).toEqual(one);
      }),
    );

    test(
      "texts come back unchanged",
      onStore(harness, async (scene) => {
        const tombstones = HARD_NAMES.map((text, n) =>
          tombstone(`${scene.id}${n}`, { name: text, by: text, reason: text, at: FAR_AHEAD }),
        );
        await scene.write({ tombstones });
        for (const one of tombstones) expect(await scene.store.tombstone(one.id)).toEqual(one);
      }),
    );

    test(
      "by the whole id of its root",
      onStore(harness, async (scene) => {
        await scene.write({ tombstones: [tombstone(`${scene.id}a`)] });
        for (const name of ["", "A", "a.0", "a1", "a "])
          expect(await scene.store.tombstone(`${scene.id}${name}`)).toBeNull();
      }),
    );

    test(
      "is put in the place of the one with the same id",
      onStore(harness, async (scene) => {
        await scene.write({ tombstones: [tombstone(scene.id, { stub: stubOf(fullRecord("r")) })] });
        const next = tombstone(scene.id, { action: "cancel", reason: "again" });
        await scene.write({ tombstones: [next] });
        expect(await scene.store.tombstone(scene.id)).toEqual(next);
      }),
    );

    test(
      "is not there when its transaction fails",
      onStore(harness, async (scene) => {
        const failed = scene.store.transact(async (tx) => {
          await tx.write({ tombstones: [tombstone(scene.id)] });
          throw new Error("no");
        });
        await expect(failed).rejects.toThrow("no");
        expect(await scene.store.tombstone(scene.id)).toBeNull();
      }),
    );
  });
}
