import type { SignatureRecord } from "../../core/record.ts";
import { CHANGEABLE, type Column } from "./columns.ts";
import type { Sent, Update } from "../transaction-tables.ts";
import type { Connection } from "./connection.ts";
import { rows } from "./literals.ts";
import { replaceTags } from "./root-tags.ts";

/** Changes that touch the same columns, which one statement sets. */
interface Alike {
  readonly sql: string;
  readonly columns: readonly Column[];
  readonly records: SignatureRecord[];
}

/** Sets the columns that have changed and no others: what is large is not sent again. */
export function updateRecords(db: Connection, updates: readonly Update[]): Sent {
  const alike = new Map<number, Alike>();
  const retagged: Update[] = [];
  for (const update of updates) {
    const set = changeOf(update);
    if (set === 0) continue;
    let others = alike.get(set);
    if (others === undefined) alike.set(set, (others = { ...updateOf(set), records: [] }));
    others.records.push(update.now);
    if (update.before.tags !== update.now.tags) retagged.push(update);
  }
  const sent = [...alike.values()].flatMap(({ sql, columns, records }) =>
    rows(records.map((record) => [record.id, ...columns.map(({ of }) => of(record))])).map((some) =>
      db.later(sql, some),
    ),
  );
  return [...sent, ...replaceTags(db, retagged)];
}

/** Fields that may change; bit n of a change set stands for field n. */
const FIELDS = [...new Set(CHANGEABLE.map(({ field }) => field))];

/** Of what runs only, the end of its grace is a column: it changes with the status too. */
const STATUS = 1 << FIELDS.indexOf("status");
const STOP = 1 << FIELDS.indexOf("stop");

/** Records are values, so objects that are the same object have not changed. Zero when nothing has. */
function changeOf({ before, now }: Update): number {
  let set = 0;
  for (let n = 0; n < FIELDS.length; n++) {
    const field = FIELDS[n]!;
    if (before[field] !== now[field]) set |= 1 << n;
  }
  return (set & STATUS) !== 0 && (before.stop !== null || now.stop !== null) ? set | STOP : set;
}

const statements = new Map<number, Omit<Alike, "records">>();

/**
 * Many rows are set by one statement, each to values of its own, as if they were to be inserted: the keys are taken, and what is said for
 * that case is done instead. They are there and locked, so that none is ever inserted.
 */
function updateOf(set: number): Omit<Alike, "records"> {
  let made = statements.get(set);
  if (made === undefined) {
    const columns = CHANGEABLE.filter(({ field }) => (set & (1 << FIELDS.indexOf(field))) !== 0);
    const names = columns.map(({ name }) => name);
    const sql = `INSERT INTO mageflow_signatures (id, ${names.join(", ")}) VALUES $1
      ON DUPLICATE KEY UPDATE ${names.map((name) => `${name} = VALUES(${name})`).join(", ")}`;
    statements.set(set, (made = { sql, columns }));
  }
  return made;
}
