import type { SignatureRecord } from "../../core/record.ts";
import { changedColumns, changeOf, type ChangeSet, pushChanged } from "./change.ts";
import type { Connection, Parameter } from "./connection.ts";
import type { Stored } from "./record-cache.ts";
import { replaceTags } from "./root-tags.ts";
import { GROUP, inGroups, marks, rowsOf } from "./row-groups.ts";

/** A record that was read, and what it has become. */
export interface Update {
  readonly stored: Stored;
  readonly now: SignatureRecord;
}

/** Sets the columns that have changed and no others, which leaves alone the indexes that the change does not concern. */
export function updateRecords(db: Connection, updates: readonly Update[]): void {
  const alike = new Map<ChangeSet, Update[]>();
  for (const update of updates) {
    const before = update.stored.record;
    const set = changeOf(before, update.now);
    if (set === 0) continue;
    const others = alike.get(set);
    if (others === undefined) alike.set(set, [update]);
    else others.push(update);
    if (before.tags !== update.now.tags) replaceTags(db, before, update.now);
  }
  for (const [set, same] of alike) {
    inGroups(same, (group) => updateGroup(db, set, group));
  }
}

/** Sets the columns of a change set in a full group of rows or in a single one. */
function updateGroup(db: Connection, set: ChangeSet, group: readonly Update[]): void {
  const seqs = group.map(({ stored }) => stored.seq);
  const values = group.map(({ now }) => {
    const parameters: Parameter[] = [];
    pushChanged(set, now, parameters);
    return parameters;
  });
  const [first] = values;
  const alike = values.every((other) => other.every((value, n) => value === first![n]));
  const { one, alikes, group: each } = updatesOf(set);
  if (group.length === 1) db.run(one, ...first!, seqs[0]!);
  else if (alike) db.run(alikes, ...first!, ...seqs);
  else db.run(each, ...values.flatMap((parameters, n) => [seqs[n]!, ...parameters]));
}

/** For one row, for a group that gets the same values, and for any group. */
interface Statements {
  readonly one: string;
  readonly alikes: string;
  readonly group: string;
}

const updates = new Map<ChangeSet, Statements>();

function updatesOf(set: ChangeSet): Statements {
  let sql = updates.get(set);
  if (sql === undefined) {
    const columns = changedColumns(set);
    const assigned = columns.map((column) => `${column} = ?`).join(", ");
    const given = columns.map((column, n) => `${column} = given.column${n + 2}`).join(", ");
    sql = {
      one: `UPDATE OR ROLLBACK signatures SET ${assigned} WHERE seq = ?`,
      alikes: `UPDATE OR ROLLBACK signatures SET ${assigned} WHERE seq IN (${marks(GROUP)})`,
      group: `UPDATE OR ROLLBACK signatures SET ${given}
        FROM (VALUES ${rowsOf(columns.length + 1, GROUP)}) AS given WHERE seq = given.column1`,
    };
    updates.set(set, sql);
  }
  return sql;
}
