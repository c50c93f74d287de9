import { createHash } from "node:crypto";
import { canonical } from "../core/canonical.ts";
import { decode, encode } from "../core/payload.ts";
import type { AuditRow, Store } from "../ports/store.ts";
import type { Batch } from "./batch.ts";

/** What somebody did to a signature. */
export interface Deed {
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly reason?: string | null;
  readonly details?: object;
}

/** Before the first row. */
const NO_HASH = "0".repeat(64);
const PAGE = 500;

/** Adds a row to the audit trail in the transaction of the deed. Each row holds the hash of the one before. */
export async function record(
  batch: Batch,
  { actor, action, target, reason = null, details = {} }: Deed,
): Promise<void> {
  const { audit } = batch.extras;
  const last = audit.at(-1) ?? (await batch.tx.lastAudit());
  const row = {
    seq: (last?.seq ?? 0) + 1,
    at: batch.now,
    actor,
    action,
    target,
    reason,
    details: encode(details, "details"),
    previousHash: last?.hash ?? NO_HASH,
  };
  audit.push({ ...row, hash: hashOf(row) });
}

/** SHA-256 over the canonical JSON of everything else in the row. */
function hashOf({
  seq,
  at,
  actor,
  action,
  target,
  reason,
  details,
  previousHash,
}: Omit<AuditRow, "hash">): string {
  const content = { seq, at, actor, action, target, reason, details: decode(details), previousHash };
  return createHash("sha256").update(canonical(content)).digest("hex");
}

/** Details that are no JSON any more are not what was written either. */
function isAsWritten(row: AuditRow): boolean {
  try {
    return row.hash === hashOf(row);
  } catch {
    return false;
  }
}

/**
 * Whether every row is as it was written and none before the last is missing; else the `seq` of the first that is not. Rows that were
 * taken off the end leave no trace in those before them.
 */
export async function verifyAudit(store: Store): Promise<{ ok: boolean; brokenAt?: number }> {
  let before: { seq: number; hash: string } = { seq: 0, hash: NO_HASH };
  for (;;) {
    const rows = await store.audit({ order: "oldest", after: before.seq, limit: PAGE });
    for (const row of rows) {
      const follows = row.seq === before.seq + 1 && row.previousHash === before.hash;
      if (!follows || !isAsWritten(row)) return { ok: false, brokenAt: before.seq + 1 };
      before = row;
    }
    if (rows.length < PAGE) return { ok: true };
  }
}
