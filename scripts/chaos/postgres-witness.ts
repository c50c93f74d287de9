import { setTimeout as sleep } from "node:timers/promises";
import { Pool, type QueryResultRow } from "pg";
import { type Entry, OUTLIVES, type Rest, unrestOf, type Witness } from "./history.ts";

/**
 * The triggers fire at the end of a transaction, one transaction at a time: whoever notes holds a lock until its commit can be seen.
 */
const WITNESS = (schema: string): string => `
  BEGIN;
  SELECT pg_advisory_xact_lock(hashtext('chaos ${schema} begin'));
  CREATE TABLE IF NOT EXISTS chaos_history (
    seq bigserial PRIMARY KEY, at bigint, id text, root_id text, role text, key text, kind text, status text,
    generation int, origin int, epoch int, stop text, stop_until bigint, finished_at bigint, claimed boolean, born boolean
  );
  CREATE TABLE IF NOT EXISTS chaos_gone (id text PRIMARY KEY, seq bigint, action text);
  CREATE OR REPLACE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtext('chaos ${schema} order'));
      IF TG_TABLE_NAME = 'tombstones' THEN
        INSERT INTO chaos_gone SELECT NEW.id, coalesce((SELECT max(seq) FROM chaos_history), 0), NEW.action;
      ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO chaos_history (at, id, root_id, role, key, kind, status, generation, origin, epoch, claimed, born)
          VALUES (extract(epoch FROM clock_timestamp()) * 1000, NEW.id, NEW.root_id, NEW.role, NEW.key, NEW.kind, NEW.status,
            NEW.generation, NEW.origin, NEW.epoch, NEW.worker_id IS NOT NULL, true);
      ELSIF OLD.status <> NEW.status OR OLD.generation <> NEW.generation OR OLD.epoch <> NEW.epoch
          OR OLD.stop IS DISTINCT FROM NEW.stop THEN
        INSERT INTO chaos_history (at, id, root_id, role, key, kind, status, generation, origin, epoch, stop, stop_until,
            finished_at, claimed, born)
          VALUES (extract(epoch FROM clock_timestamp()) * 1000, NEW.id, NEW.root_id, NEW.role, NEW.key, NEW.kind, NEW.status,
            NEW.generation, NEW.origin, NEW.epoch, NEW.stop::json ->> 'verb', (NEW.stop::json ->> 'until')::bigint,
            NEW.finished_at, NEW.epoch > OLD.epoch AND NEW.status = 'RUNNING' AND NEW.worker_id IS NOT NULL, false);
      END IF;
      RETURN NULL;
    END $$;
  DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'chaos_changed' AND tgrelid = 'signatures'::regclass) THEN
      CREATE CONSTRAINT TRIGGER chaos_changed AFTER INSERT OR UPDATE ON signatures
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chaos_note();
      CREATE CONSTRAINT TRIGGER chaos_buried AFTER INSERT ON tombstones
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chaos_note();
    END IF;
  END $$;
  COMMIT`;

const HISTORY = `SELECT seq::int, at::float8, id, root_id AS "rootId", role, key, kind, status, generation, origin, epoch, stop,
    stop_until::float8 AS "stopUntil", finished_at::float8 AS "finishedAt", claimed, born
  FROM chaos_history ORDER BY seq`;

const REST = `SELECT status, milestone::int, stop IS NOT NULL AS stopped, deletion IS NOT NULL AS marked
  FROM signatures WHERE id = $1`;

const TEXTS = `SELECT table_name, column_name FROM information_schema.columns
  WHERE table_schema = $1 AND data_type = 'text' AND table_name NOT LIKE 'chaos\\_%'`;

/** Reads what the witness has noted, and what is left of a workflow, straight from the server, which may be restarted meanwhile. */
export class PostgresWitness implements Witness {
  readonly #schema: string;
  readonly #pool: Pool;

  constructor(store: string) {
    const url = new URL(store);
    this.#schema = url.searchParams.get("schema")!;
    url.searchParams.delete("schema");
    url.searchParams.set("options", `-c search_path=${this.#schema}`);
    this.#pool = new Pool({ connectionString: url.href, application_name: "witness", max: 4 });
    this.#pool.on("error", () => {});
  }

  async begin(): Promise<void> {
    await this.#ask(WITNESS(this.#schema));
  }

  async seq(): Promise<number> {
    const [row] = await this.#ask<{ seq: number }>(
      "SELECT coalesce(max(seq), 0)::int AS seq FROM chaos_history",
    );
    return row!.seq;
  }

  async history(): Promise<Entry[]> {
    return this.#ask<Entry>(HISTORY);
  }

  async gone(): Promise<Map<string, { seq: number; action: string }>> {
    const rows = await this.#ask<{ id: string; seq: number; action: string }>(
      "SELECT id, seq::int, action FROM chaos_gone",
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  async unrest(rootId: string): Promise<string | null> {
    const [row] = await this.#ask<Rest>(REST, [rootId]);
    return row === undefined ? ((await this.remains(rootId))[0] ?? null) : unrestOf(row);
  }

  async remains(rootId: string): Promise<string[]> {
    const found: string[] = [];
    type Column = { table_name: string; column_name: string };
    for (const { table_name: table, column_name: column } of await this.#ask<Column>(TEXTS, [this.#schema])) {
      if (OUTLIVES.includes(table)) continue;
      const text = `"${column}" COLLATE "C"`;
      const rows = await this.#ask<{ id: string }>(
        `SELECT "${column}" AS id FROM "${table}" WHERE ${text} = $1 OR (${text} > $2 AND ${text} < $3) LIMIT 3`,
        [rootId, `${rootId}.`, `${rootId}/`],
      );
      found.push(...rows.map(({ id }) => `${table} ${column} ${id}`));
    }
    return found;
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  /** What is asked again does no harm. */
  async #ask<Row extends QueryResultRow>(sql: string, values?: readonly string[]): Promise<Row[]> {
    for (let attempt = 0; ; attempt++) {
      try {
        // Without values several statements may come at once.
        const { rows } = await (values === undefined
          ? this.#pool.query<Row>(sql)
          : this.#pool.query<Row>(sql, [...values]));
        return rows;
      } catch (error) {
        if (attempt === TRIES) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }
}

/** Ten seconds: longer than a server takes to come back. */
const TRIES = 100;
const PAUSE_MS = 100;
