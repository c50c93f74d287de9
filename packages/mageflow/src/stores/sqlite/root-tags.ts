import type { SignatureRecord } from "../../core/record.ts";
import type { Connection } from "./connection.ts";

const INSERT = "INSERT OR IGNORE INTO root_tags (tag, created_at, root_id) VALUES (?, ?, ?)";

const DELETE = "DELETE FROM root_tags WHERE tag = ? AND created_at = ? AND root_id = ?";

/** Workflows are found by the tags of their roots. */
export function putTags(db: Connection, { role, tags, createdAt, rootId }: SignatureRecord): void {
  if (role === "root") for (const tag of tags) db.run(INSERT, tag, createdAt, rootId);
}

export function replaceTags(db: Connection, before: SignatureRecord, now: SignatureRecord): void {
  if (before.role === "root")
    for (const tag of before.tags) db.run(DELETE, tag, before.createdAt, before.rootId);
  putTags(db, now);
}
