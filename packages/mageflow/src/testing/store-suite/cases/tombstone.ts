import { describe, expect, test } from "vitest";
import type { Tombstone } from "../../../ports/store.ts";
import type { StoreHarness } from "../harness.ts";
import { fullRecord } from "../sample-record.ts";
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
  });
}
