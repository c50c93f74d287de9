import { type OptionNames, requireArguments } from "../core/known-options.ts";
import { AUDIT_ORDERS, type AuditQuery } from "../ports/store.ts";
import { someOf } from "./filter-arguments.ts";
import { MOST_ROWS, readLimit, readSeq } from "./page-arguments.ts";

const FILTERS: OptionNames<AuditQuery> = { order: true, after: true, limit: true };

/** What a store is asked for a page of the audit trail. @throws MageFlowError (`INVALID_ARGUMENT`) */
export function auditQuery(filter: Partial<AuditQuery>): AuditQuery {
  requireArguments(filter, FILTERS, "an audit trail");
  const { order = "oldest", after, limit } = filter;
  someOf("order", order, AUDIT_ORDERS);
  return {
    order,
    after: after === undefined ? null : readSeq(after, "after"),
    limit: readLimit(limit, MOST_ROWS),
  };
}
