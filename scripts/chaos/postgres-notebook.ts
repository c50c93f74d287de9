import { Pool } from "pg";
import type { Notebook } from "./server-witness.ts";

/**
 * The triggers fire at the end of a transaction, one transaction at a time: whoever notes holds a lock until its commit can be seen.
 */
const BEGIN = (schema: string): string => `
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

const COLUMNS = `SELECT table_name AS table, column_name AS column FROM information_schema.columns
  WHERE table_schema = current_schema() AND data_type = 'text' AND table_name NOT LIKE 'chaos\\_%'`;

/** What notes in a schema of PostgreSQL. */
export function postgresNotebook(store: string): Notebook {
  const url = new URL(store);
  const schema = url.searchParams.get("schema")!;
  url.searchParams.delete("schema");
  url.searchParams.set("options", `-c search_path=${schema}`);
  const pool = new Pool({ connectionString: url.href, application_name: "witness", max: 4 });
  pool.on("error", () => {});
  return {
    begin: [BEGIN(schema)],
    last: "SELECT coalesce(max(seq), 0)::int AS seq FROM chaos_history",
    history: HISTORY,
    gone: "SELECT id, seq::int, action FROM chaos_gone",
    rest: REST,
    columns: COLUMNS,
    mentions: ({ table, column }) => {
      const text = `"${column}" COLLATE "C"`;
      return `SELECT "${column}" AS id FROM "${table}" WHERE ${text} = $1 OR (${text} > $2 AND ${text} < $3) LIMIT 3`;
    },
    plainName: (table) => table,
    // Without values several statements may come at once.
    ask: async (sql, values) =>
      (await (values === undefined ? pool.query(sql) : pool.query(sql, [...values]))).rows as unknown[],
    close: () => pool.end(),
  };
}
