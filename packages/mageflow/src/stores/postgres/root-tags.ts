import type { SignatureRecord } from "../../core/record.ts";
import { arrayOf, textArray } from "./arrays.ts";
import type { Connection } from "./connection.ts";
import { toSafe } from "../safe-text.ts";

const ROWS = "unnest($1::text[], $2::int8[], $3::text[])";

const INSERT = `INSERT INTO root_tags (tag, created_at, root_id) SELECT * FROM ${ROWS} ON CONFLICT DO NOTHING`;

const DELETE = `DELETE FROM root_tags USING ${ROWS} AS gone (tag, created_at, root_id)
  WHERE root_tags.tag = gone.tag AND root_tags.created_at = gone.created_at AND root_tags.root_id = gone.root_id`;

/** Workflows are found by the tags of their roots. */
export function putTags(db: Connection, records: readonly SignatureRecord[]): Promise<unknown>[] {
  return change(db, INSERT, records);
}

export function dropTags(db: Connection, records: readonly SignatureRecord[]): Promise<unknown>[] {
  return change(db, DELETE, records);
}

export function replaceTags(
  db: Connection,
  updates: readonly { before: SignatureRecord; now: SignatureRecord }[],
): Promise<unknown>[] {
  return [
    ...dropTags(
      db,
      updates.map(({ before }) => before),
    ),
    ...putTags(
      db,
      updates.map(({ now }) => now),
    ),
  ];
}

function change(db: Connection, sql: string, records: readonly SignatureRecord[]): Promise<unknown>[] {
  const tagged = records
    .filter(({ role }) => role === "root")
    .flatMap(({ tags, createdAt, rootId }) => tags.map((tag) => ({ tag: toSafe(tag), createdAt, rootId })));
  if (tagged.length === 0) return [];
  const tags = textArray(tagged.map(({ tag }) => tag));
  const instants = arrayOf(
    "int8",
    tagged.map(({ createdAt }) => createdAt),
  );
  return [db.all(sql, tags, instants, textArray(tagged.map(({ rootId }) => rootId)))];
}
