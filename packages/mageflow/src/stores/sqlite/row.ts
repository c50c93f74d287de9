import type { Row as SignatureRow } from "../signature-row.ts";

/** The columns of a {@link Row}, as they are selected. */
export const COLUMNS = `id, root_id, parent_id, role, slot, key, kind, name, spec, priority, bound, created_at, status,
  prior, held_by, generation, origin, attempt, epoch, recoveries, ready_at, due_at, deadline_at, worker_id, message, result,
  error, family, sweep, stop, deletion, lock, milestone, credited, tags, started_at, finished_at, seq`;

/** A row of `signatures`; `seq` is its place in the file. */
export type Row = readonly [...row: SignatureRow, seq: number];

/** Places in a row. */
export const ID = 0;
export const CREATED_AT = 11;
export const DUE_AT = 21;
export const DEADLINE_AT = 22;
export const STOP = 29;
export const SEQ = 37;
