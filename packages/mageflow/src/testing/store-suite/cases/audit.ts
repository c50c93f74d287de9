import { describe, expect, test } from "vitest";
import { AUDIT_ORDERS, type AuditQuery, type AuditRow } from "../../../ports/store.ts";
import { HARD_JSON, HARD_NAMES } from "../hard-texts.ts";
import type { StoreHarness } from "../harness.ts";
import { FAR_AHEAD, sampleTask } from "../sample-record.ts";
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

    test(
      "pages from both ends meet each row once",
      onStore(harness, async (scene) => {
        const rows = await append(scene, 11);
        for (const order of AUDIT_ORDERS) {
          const first = order === "oldest" ? rows[0]!.seq - 1 : null;
          const met: AuditRow[] = [];
          for (let after: number | null = first; met.length < rows.length;) {
            const page: AuditRow[] = await scene.store.audit({ order, after, limit: 4 });
            expect(page.length).toBeGreaterThan(0);
            met.push(...page);
            after = page.at(-1)!.seq;
          }
          expect(order === "oldest" ? met : met.slice(0, 11).toReversed()).toEqual(rows);
        }
      }),
    );

    test(
      "numbers are compared as numbers",
      onStore(harness, async (scene) => {
        await append(scene, 101);
        const seqs = async (order: AuditQuery["order"], after: number): Promise<number[]> =>
          (await scene.store.audit({ order, after, limit: 3 })).map(({ seq }) => seq);
        expect(await seqs("oldest", 8)).toEqual([9, 10, 11]);
        expect(await seqs("newest", 101)).toEqual([100, 99, 98]);
      }),
    );

    test(
      "texts come back unchanged",
      onStore(harness, async (scene) => {
        const [first] = await append(scene, 1);
        const details = HARD_JSON.map(([, json]) => json).filter(({ length }) => length < 10_000);
        const rows = [...HARD_NAMES, ""].map((text, n): AuditRow => ({
          seq: first!.seq + 1 + n,
          at: FAR_AHEAD - n,
          actor: text,
          action: text,
          target: text,
          reason: text,
          details: details[n % details.length]!,
          previousHash: "a".repeat(64),
          hash: "b".repeat(64),
        }));
        await scene.write({ audit: rows });
        const read = await scene.store.audit({ order: "oldest", after: first!.seq, limit: rows.length });
        expect(read).toEqual(rows);
      }),
    );

    test(
      "a number that is taken is refused, and all that came with it",
      onStore(harness, async (scene) => {
        const [row] = await append(scene, 1);
        await expect(scene.write({ audit: [row!], insert: [sampleTask(scene.id)] })).rejects.toThrow(Error);
        const next = { ...row!, seq: row!.seq + 1 };
        await expect(scene.write({ audit: [next, next] })).rejects.toThrow(Error);
        expect(await scene.ask((tx) => tx.lastAudit())).toEqual(row);
        expect(await scene.get(scene.id)).toBeUndefined();
      }),
    );

    test(
      "are not there when their transaction fails",
      onStore(harness, async (scene) => {
        const [row] = await append(scene, 1);
        const failed = scene.store.transact(async (tx) => {
          await tx.write({ audit: [{ ...row!, seq: row!.seq + 1 }] });
          throw new Error("no");
        });
        await expect(failed).rejects.toThrow("no");
        expect(await scene.ask((tx) => tx.lastAudit())).toEqual(row);
      }),
    );

    test(
      "nobody else adds to it between the last row and the next, so that the chain never forks",
      onStore(harness, async (scene) => {
        const [first] = await append(scene, 1);
        await Promise.all(Array.from({ length: 8 }, () => append(scene, 2)));
        const rows = await scene.store.audit({ order: "oldest", after: first!.seq - 1, limit: 100 });
        expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 17 }, (_, n) => first!.seq + n));
        const before = rows.slice(0, -1).map(({ hash }) => hash);
        expect(rows.slice(1).map(({ previousHash }) => previousHash)).toEqual(before);
      }),
    );
  });
}
