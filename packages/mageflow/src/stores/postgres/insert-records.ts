import type { SignatureRecord } from "../../core/record.ts";
import { isPlain } from "../is-plain.ts";
import { arrayOf, textArray } from "./arrays.ts";
import { type Column, PLAIN, WHOLE } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { putTags } from "./root-tags.ts";

const insertion = (
  columns: readonly Column[],
): string => `INSERT INTO signatures (${columns.map(({ name }) => name).join(", ")})
  SELECT * FROM unnest(${columns.map(({ type }, n) => `$${n + 1}::${type}[]`).join(", ")})`;

const INSERT_PLAIN = insertion(PLAIN);
const INSERT_WHOLE = insertion(WHOLE);

const INSERT_BIRTHS = `INSERT INTO births (root_id, created_at)
  SELECT * FROM unnest($1::text[], $2::int8[]) ORDER BY 1, 2 ON CONFLICT DO NOTHING`;

/** Stores new signatures. Millions are plain when they are stored, and a third of the columns takes a third of the time. */
export function insertRecords(db: Connection, records: readonly SignatureRecord[]): Promise<unknown>[] {
  const plain: SignatureRecord[] = [];
  const others: SignatureRecord[] = [];
  for (const record of records) (isPlain(record) ? plain : others).push(record);
  const sent: Promise<unknown>[] = [];
  if (plain.length > 0) sent.push(db.all(INSERT_PLAIN, ...columnsOf(PLAIN, plain)));
  if (others.length > 0) sent.push(db.all(INSERT_WHOLE, ...columnsOf(WHOLE, others)));
  return [...sent, ...putBirths(db, records), ...putTags(db, others)];
}

function columnsOf(columns: readonly Column[], records: readonly SignatureRecord[]): Buffer[] {
  return columns.map(({ type, of }) => arrayOf(type, records.map(of)));
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
  if (births.length === 0) return [];
  const rootIds = textArray(births.map(({ rootId }) => rootId));
  return [
    db.all(
      INSERT_BIRTHS,
      rootIds,
      arrayOf(
        "int8",
        births.map(({ createdAt }) => createdAt),
      ),
    ),
  ];
}
