import type { SignatureRecord } from "../../core/record.ts";
import { isPlain } from "../is-plain.ts";
import { AlikeColumns } from "./alike-columns.ts";
import { arrayOf, textArray } from "./arrays.ts";
import { type Column, PLAIN, WHOLE } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { putTags } from "./root-tags.ts";

const insertion = (columns: readonly Column[]): AlikeColumns =>
  new AlikeColumns(
    columns.filter(({ name }) => name !== "id"),
    ({ value, rows }) => `INSERT INTO signatures (${columns.map(({ name }) => name).join(", ")})
  SELECT ${columns.map(({ name }) => value.get(name)).join(", ")} FROM ${rows}`,
  );

const PLAIN_ROWS = insertion(PLAIN);
const WHOLE_ROWS = insertion(WHOLE);

const INSERT_BIRTHS = `INSERT INTO births (root_id, created_at)
  SELECT * FROM unnest($1::text[], $2::int8[]) ORDER BY 1, 2 ON CONFLICT DO NOTHING`;

/** Stores new signatures. Millions are plain when they are stored, and a third of the columns takes a third of the time. */
export function insertRecords(db: Connection, records: readonly SignatureRecord[]): Promise<unknown>[] {
  const plain: SignatureRecord[] = [];
  const others: SignatureRecord[] = [];
  for (const record of records) (isPlain(record) ? plain : others).push(record);
  const sent: Promise<unknown>[] = [];
  if (plain.length > 0) sent.push(db.all(...PLAIN_ROWS.for(plain)));
  if (others.length > 0) sent.push(db.all(...WHOLE_ROWS.for(others)));
  return [...sent, ...putBirths(db, records), ...putTags(db, others)];
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
