import { describe, expect, test } from "vitest";
import type { AuditRow } from "../../../ports/store.ts";
import type { StoreHarness } from "../harness.ts";
import { onStore, type Scene } from "../scene.ts";

/** Adds rows behind those that other cases left, and returns them. */
function append(scene: Scene, count: number): Promise<AuditRow[]> {
  return scene.store.transact(async (tx) => {
    const { seq = 0, hash = "0".repeat(64) } = (await tx.lastAudit()) ?? {};
    const rows = Array.from({ length: count }, (_, n) => ({
      seq: seq + n + 1,
      at: tx.now,
      actor: "somebody",
      action: "delete",
      target: `${scene.id}${n}`,
      reason: n === 0 ? null : "because",
      details: '{"a":1}',
      previousHash: n === 0 ? hash : `hash ${seq + n}`,
      hash: `hash ${seq + n + 1}`,
    }));
    await tx.write({ audit: rows });
    return rows;
  });
}

export function auditCases(harness: StoreHarness): void {
  describe("audit", () => {
    test(
      "rows come back as they were written, oldest first behind one that was seen",
      onStore(harness, async (scene) => {
        const rows = await append(scene, 5);
        const after = rows[0]!.seq - 1;
        expect(await scene.store.audit({ order: "oldest", after, limit: 100 })).toEqual(rows);
        expect(await scene.store.audit({ order: "oldest", after: rows[1]!.seq, limit: 2 })).toEqual(
          rows.slice(2, 4),
        );
        expect(await scene.store.audit({ order: "oldest", after: rows[4]!.seq, limit: 2 })).toEqual([]);
        expect(await scene.store.audit({ order: "oldest", after: null, limit: 1 })).toMatchObject([
          { seq: 1 },
        ]);
        expect(await scene.ask((tx) => tx.lastAudit())).toEqual(rows[4]);
      }),
    );

    test(
      "newest first before one that was seen",
      onStore(harness, async (scene) => {
        const rows = (await append(scene, 5)).toReversed();
        expect(await scene.store.audit({ order: "newest", after: null, limit: 5 })).toEqual(rows);
        expect(await scene.store.audit({ order: "newest", after: null, limit: 2 })).toEqual(rows.slice(0, 2));
        expect(await scene.store.audit({ order: "newest", after: rows[1]!.seq, limit: 2 })).toEqual(
          rows.slice(2, 4),
        );
        expect(await scene.store.audit({ order: "newest", after: 1, limit: 2 })).toEqual([]);
        expect(await scene.store.audit({ order: "newest", after: 0, limit: 2 })).toEqual([]);
      }),
    );
  });
}
