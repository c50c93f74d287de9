import type { SignatureRecord } from "../../core/record.ts";
import { AlikeColumns } from "./alike-columns.ts";
import { CHANGEABLE } from "./columns.ts";
import type { Sent, Update } from "../transaction-tables.ts";
import type { Connection } from "./connection.ts";
import { replaceTags } from "./root-tags.ts";

/** Changes that touch the same columns, which one statement sets. */
interface Alike {
  readonly rows: AlikeColumns;
  readonly records: SignatureRecord[];
}

/** So few records are written by one statement, whatever has changed of each: a statement costs more than some columns. */
const FEW = 8;

/** Sets the columns that have changed and no others: what is large is not sent again. */
export function updateRecords(db: Connection, changes: readonly Update[]): Sent {
  const alike = new Map<number, Alike>();
  const retagged: Update[] = [];
  const sets = changes.map(changeOf);
  const ofAll = sets.reduce((all, set) => all | set, 0);
  for (const [n, update] of changes.entries()) {
    if (sets[n] === 0) continue;
    const set = changes.length <= FEW ? ofAll : sets[n]!;
    let others = alike.get(set);
    if (others === undefined) alike.set(set, (others = { rows: updateOf(set), records: [] }));
    others.records.push(update.now);
    if (update.before.tags !== update.now.tags) retagged.push(update);
  }
  const sent = [...alike.values()].map(({ rows, records }) => db.all(...rows.for(records)));
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

const updates = new Map<number, AlikeColumns>();

function updateOf(set: number): AlikeColumns {
  let made = updates.get(set);
  if (made === undefined) {
    const columns = CHANGEABLE.filter(({ field }) => (set & (1 << FIELDS.indexOf(field))) !== 0);
    made = new AlikeColumns(
      columns,
      ({
        value,
        rows,
      }) => `UPDATE signatures SET ${columns.map(({ name }) => `${name} = ${value.get(name)}`).join(", ")}
      FROM ${rows} WHERE signatures.id = given.id`,
    );
    updates.set(set, made);
  }
  return made;
}
