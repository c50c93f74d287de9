/**
 * Conditions on a row that belongs to a workflow by its `root_id`. Written as a value to be computed for each row rather than as a join:
 * the planner would take a join for a reason to put all rows in order anew.
 */

/** It belongs to no draft: what everybody sees. */
export const shown = (table: string): string =>
  `(SELECT begun_at FROM mageflow_drafts WHERE mageflow_drafts.root_id = ${table}.root_id) IS NULL`;

/** It is stored or being stored, and not being discarded: what a transaction finds by id or parent. */
export const known = (table: string): string =>
  `COALESCE((SELECT begun_at FROM mageflow_drafts WHERE mageflow_drafts.root_id = ${table}.root_id), 0) >= 0`;

export const SHOWN: string = shown("s");
export const KNOWN: string = known("s");
