import type { SignatureRecord } from "../../core/record.ts";
import { toSafe } from "../safe-text.ts";
import type { Connection } from "./connection.ts";
import { rows } from "./literals.ts";

const INSERT = "INSERT IGNORE INTO mageflow_root_tags (tag, created_at, root_id) VALUES $1";

const DELETE = "DELETE FROM mageflow_root_tags WHERE (tag, created_at, root_id) IN ($1)";

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
    .flatMap(({ tags, createdAt, rootId }) => tags.map((tag) => [toSafe(tag), createdAt, rootId]));
  return rows(tagged).map((some) => db.later(sql, some));
}
