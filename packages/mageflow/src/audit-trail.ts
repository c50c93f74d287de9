import { decode, type Json } from "./core/payload.ts";
import type { AuditRow, Store } from "./ports/store.ts";
import { verifyAudit } from "./runtime/audit.ts";
import { auditQuery } from "./runtime/audit-query.ts";

/** A row of the audit trail. */
export interface AuditEntry extends Omit<AuditRow, "details"> {
  readonly details: Json;
}

/** The audit trail: rows are added and never changed. */
export interface AuditTrail {
  /**
   * Rows by `seq`, the oldest first or, with `order: "newest"`, the newest; a page (default 100, at most 500) at a time. Pass the last
   * row's `seq` as `after` to go on.
   *
   * @throws MageFlowError (`INVALID_ARGUMENT`) for another order, `after` or limit.
   */
  list(query?: { order?: "oldest" | "newest"; after?: number; limit?: number }): Promise<AuditEntry[]>;
  /**
   * Whether every row is as it was written and none before the last is missing; else the `seq` of the first that is not. Compare the last
   * row with one that was kept elsewhere to know that none was taken off the end.
   */
  verify(): Promise<{ ok: boolean; brokenAt?: number }>;
}

export function auditTrail(opened: () => Promise<Store>): AuditTrail {
  return {
    list: async (given = {}) => {
      const query = auditQuery(given);
      const rows = await (await opened()).audit(query);
      return rows.map((row) => ({ ...row, details: decode(row.details) }));
    },
    verify: async () => verifyAudit(await opened()),
  };
}
