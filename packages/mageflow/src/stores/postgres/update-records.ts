import type { SignatureRecord } from "../../core/record.ts";
import { arrayOf, textArray } from "./arrays.ts";
import { CHANGEABLE, type Column } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { replaceTags } from "./root-tags.ts";

/** A record as it is stored, and what it has become. */
export interface Update {
  readonly before: SignatureRecord;
  readonly now: SignatureRecord;
}

/** Changes that touch the same columns, which one statement sets. */
interface Alike {
  readonly sql: string;
  readonly columns: readonly Column[];
  readonly records: SignatureRecord[];
}

/** So few records are written by one statement, whatever has changed of each: a statement costs more than some columns. */
const FEW = 8;

/** Sets the columns that have changed and no others: what is large is not sent again. */
export function updateRecords(db: Connection, updates: readonly Update[]): Promise<unknown>[] {
  const alike = new Map<number, Alike>();
  const retagged: Update[] = [];
  const sets = updates.map(changeOf);
  const ofAll = sets.reduce((all, set) => all | set, 0);
  for (const [n, update] of updates.entries()) {
    if (sets[n] === 0) continue;
    const set = updates.length <= FEW ? ofAll : sets[n]!;
    let others = alike.get(set);
    if (others === undefined) alike.set(set, (others = { ...updateOf(set), records: [] }));
    others.records.push(update.now);
    if (update.before.tags !== update.now.tags) retagged.push(update);
  }
  const sent = [...alike.values()].map(({ sql, columns, records }) => {
    const ids = textArray(records.map(({ id }) => id));
    return db.all(sql, ids, ...columns.map(({ type, of }) => arrayOf(type, records.map(of))));
  });
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

function updateOf(set: number): Omit<Alike, "records"> {
  let made = statements.get(set);
  if (made === undefined) {
    const columns = CHANGEABLE.filter(({ field }) => (set & (1 << FIELDS.indexOf(field))) !== 0);
    const sql = `UPDATE signatures SET ${columns.map(({ name }) => `${name} = given.${name}`).join(", ")}
      FROM unnest($1::text[], ${columns.map(({ type }, n) => `$${n + 2}::${type}[]`).join(", ")})
        AS given (id, ${columns.map(({ name }) => name).join(", ")})
      WHERE signatures.id = given.id`;
    statements.set(set, (made = { sql, columns }));
  }
  return made;
}
