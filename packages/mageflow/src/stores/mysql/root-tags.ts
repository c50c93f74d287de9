import type { SignatureRecord } from "../../core/record.ts";
import { toSafe } from "../safe-text.ts";
import type { Connection } from "./connection.ts";
import { rows } from "./literals.ts";

const INSERT = "INSERT IGNORE INTO mageflow_root_tags (tag, created_at, root_id) VALUES $1";

/** One by one: for several places in the key the planner may look through the whole table. */
const DELETE = "DELETE FROM mageflow_root_tags WHERE tag = $1 AND created_at = $2 AND root_id = $3";

/** Workflows are found by the tags of their roots. */
export function putTags(db: Connection, records: readonly SignatureRecord[]): Promise<unknown>[] {
  return rows(tagsOf(records)).map((some) => db.later(INSERT, some));
}

export function dropTags(db: Connection, records: readonly SignatureRecord[]): Promise<unknown>[] {
  return tagsOf(records).map((row) => db.later(DELETE, ...row));
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

function tagsOf(records: readonly SignatureRecord[]): [tag: string, createdAt: number, rootId: string][] {
  return records
    .filter(({ role }) => role === "root")
    .flatMap(({ tags, createdAt, rootId }) =>
      tags.map((tag): [string, number, string] => [toSafe(tag), createdAt, rootId]),
    );
}
