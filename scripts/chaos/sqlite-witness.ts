import { DatabaseSync } from "node:sqlite";
import { type Entry, OUTLIVES, unrestOf, type Witness } from "./history.ts";

const WITNESS = `
  BEGIN IMMEDIATE;
  CREATE TABLE IF NOT EXISTS chaos_history (
    seq INTEGER PRIMARY KEY, at INTEGER, id TEXT, root_id TEXT, role TEXT, key TEXT, kind TEXT, status TEXT,
    generation INTEGER, origin INTEGER, epoch INTEGER, stop TEXT, stop_until INTEGER, finished_at INTEGER,
    claimed INTEGER, born INTEGER
  );
  CREATE TABLE IF NOT EXISTS chaos_gone (id TEXT PRIMARY KEY, seq INTEGER, action TEXT);
  CREATE TRIGGER IF NOT EXISTS chaos_born AFTER INSERT ON signatures BEGIN
    INSERT INTO chaos_history SELECT NULL, unixepoch('subsec') * 1000, NEW.id, NEW.root_id, NEW.role, NEW.key, NEW.kind, NEW.status,
      NEW.generation, NEW.origin, NEW.epoch, NULL, NULL, NULL, NEW.worker_id IS NOT NULL, 1;
  END;
  CREATE TRIGGER IF NOT EXISTS chaos_changed AFTER UPDATE ON signatures
    WHEN OLD.status <> NEW.status OR OLD.generation <> NEW.generation OR OLD.epoch <> NEW.epoch
      OR OLD.stop IS NOT NEW.stop BEGIN
    INSERT INTO chaos_history SELECT NULL, unixepoch('subsec') * 1000, NEW.id, NEW.root_id, NEW.role, NEW.key, NEW.kind, NEW.status,
      NEW.generation, NEW.origin, NEW.epoch, NEW.stop ->> '$.verb', NEW.stop ->> '$.until', NEW.finished_at,
      NEW.epoch > OLD.epoch AND NEW.status = 'RUNNING' AND NEW.worker_id IS NOT NULL, 0;
  END;
  CREATE TRIGGER IF NOT EXISTS chaos_buried AFTER INSERT ON tombstones BEGIN
    INSERT INTO chaos_gone SELECT NEW.id, coalesce((SELECT max(seq) FROM chaos_history), 0), NEW.action;
  END;
  COMMIT`;

/** Reads what the witness has noted, and what is left of a workflow, straight from the file. */
export class SqliteWitness implements Witness {
  readonly #db: DatabaseSync;

  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec("PRAGMA busy_timeout = 20000");
  }

  async begin(): Promise<void> {
    this.#db.exec(WITNESS);
  }

  async seq(): Promise<number> {
    return Number(this.#db.prepare("SELECT coalesce(max(seq), 0) AS seq FROM chaos_history").get()!["seq"]);
  }

  async history(): Promise<Entry[]> {
    const rows = this.#db
      .prepare(
        `SELECT seq, at, id, root_id AS rootId, role, key, kind, status, generation, origin, epoch, stop, stop_until AS stopUntil,
          finished_at AS finishedAt, claimed, born FROM chaos_history ORDER BY seq`,
      )
      .all() as unknown as (Omit<Entry, "claimed" | "born"> & { claimed: number; born: number })[];
    return rows.map((row) => ({ ...row, claimed: row.claimed === 1, born: row.born === 1 }));
  }

  async gone(): Promise<Map<string, { seq: number; action: string }>> {
    const rows = this.#db.prepare("SELECT id, seq, action FROM chaos_gone").all() as unknown as {
      id: string;
      seq: number;
      action: string;
    }[];
    return new Map(rows.map((row) => [row.id, row]));
  }

  async unrest(rootId: string): Promise<string | null> {
    const row = this.#db
      .prepare(
        `SELECT status, milestone, stop IS NOT NULL AS stopped, deletion IS NOT NULL AS marked FROM signatures WHERE id = ?`,
      )
      .get(rootId) as { status: string; milestone: number; stopped: number; marked: number } | undefined;
    if (row === undefined) return (await this.remains(rootId))[0] ?? null;
    return unrestOf({ ...row, stopped: row.stopped === 1, marked: row.marked === 1 });
  }

  async remains(rootId: string): Promise<string[]> {
    const found: string[] = [];
    const tables = this.#db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all() as { name: string }[];
    for (const { name } of tables) {
      if (name.startsWith("chaos_") || OUTLIVES.includes(name)) continue;
      const columns = this.#db.prepare(`PRAGMA table_info("${name}")`).all() as {
        name: string;
        type: string;
      }[];
      for (const { name: column, type } of columns) {
        if (type !== "TEXT") continue;
        const rows = this.#db
          .prepare(
            `SELECT "${column}" AS id FROM "${name}" WHERE "${column}" = ? OR ("${column}" > ? AND "${column}" < ?) LIMIT 3`,
          )
          .all(rootId, `${rootId}.`, `${rootId}/`) as { id: string }[];
        found.push(...rows.map(({ id }) => `${name} ${column} ${id}`));
      }
    }
    return found;
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}
