import type { SignatureRecord } from "../../core/record.ts";
import { isPlain } from "../is-plain.ts";
import { type Column, PLAIN, WHOLE } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { rows } from "./literals.ts";
import { putTags } from "./root-tags.ts";

const insertion = (columns: readonly Column[]): string =>
  `INSERT INTO mageflow_signatures (${columns.map(({ name }) => name).join(", ")}) VALUES $1`;

const INSERT_PLAIN = insertion(PLAIN);
const INSERT_WHOLE = insertion(WHOLE);

const INSERT_BIRTHS = "INSERT IGNORE INTO mageflow_births (root_id, created_at) VALUES $1";

/** Stores new signatures. Millions are plain when they are stored, and a third of the columns takes a third of the time. */
export function insertRecords(db: Connection, records: readonly SignatureRecord[]): Promise<unknown>[] {
  const plain: SignatureRecord[] = [];
  const others: SignatureRecord[] = [];
  for (const record of records) (isPlain(record) ? plain : others).push(record);
  return [
    ...insertAlike(db, INSERT_PLAIN, PLAIN, plain),
    ...insertAlike(db, INSERT_WHOLE, WHOLE, others),
    ...putBirths(db, records),
    ...putTags(db, others),
  ];
}

function insertAlike(
  db: Connection,
  sql: string,
  columns: readonly Column[],
  records: readonly SignatureRecord[],
): Promise<unknown>[] {
  return rows(records.map((record) => columns.map(({ of }) => of(record)))).map((some) =>
    db.later(sql, some),
  );
}

/** Of a root this is in its own row. Neighbours mostly share their birth. */
function putBirths(db: Connection, records: readonly SignatureRecord[]): Promise<unknown>[] {
  const births: SignatureRecord[] = [];
  for (const record of records) {
    const last = births.at(-1);
    if (record.role === "root" || (record.rootId === last?.rootId && record.createdAt === last.createdAt))
      continue;
    births.push(record);
  }
  return rows(births.map(({ rootId, createdAt }) => [rootId, createdAt])).map((some) =>
    db.later(INSERT_BIRTHS, some),
  );
}
