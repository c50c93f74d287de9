import type { Inventory, Pages, Tagged } from "../server-integrity.ts";
import { toSafe } from "../safe-text.ts";
import { WORKER_COLUMNS } from "../worker-row.ts";
import { arrayOf, textArray } from "./arrays.ts";
import { COLUMNS, DERIVED } from "./columns.ts";
import type { Connection, Parameter } from "./connection.ts";
import { SHOWN } from "./visible.ts";

/** Of these tags of roots those that no list would find them by. */
const UNLISTED = `SELECT DISTINCT given.root_id
  FROM unnest($1::text[], $2::int8[], $3::text[]) AS given (tag, created_at, root_id)
  WHERE NOT EXISTS (SELECT FROM root_tags WHERE root_tags.tag = given.tag
    AND root_tags.created_at = given.created_at AND root_tags.root_id = given.root_id)`;

/** Without what may be large and is looked into by those alone who use it. */
const SMALL = COLUMNS.replaceAll(/\b(bound|message|result)\b/g, "NULL");

const RECORDS = `SELECT id, parent_id IS NULL OR EXISTS (SELECT FROM births
      WHERE births.root_id = signatures.root_id AND births.created_at = signatures.created_at),
    ${SHOWN}, ${SMALL}, ${DERIVED.map(({ name }) => name).join(", ")}
  FROM signatures WHERE id > $1 ORDER BY id LIMIT $2`;

/** The root of a draft comes with its end. */
const DRAFTS = `SELECT draft_id, draft_id, begun_at >= 0, ${SMALL}
  FROM (SELECT root_id AS draft_id, begun_at FROM drafts) AS draft JOIN signatures ON id = draft_id
  WHERE draft_id > $1 ORDER BY draft_id LIMIT $2`;

const TOMBSTONES = `SELECT tombstones.id, tombstones.id FROM tombstones JOIN signatures ON signatures.id = tombstones.id
  WHERE tombstones.id > $1 AND ${SHOWN} ORDER BY tombstones.id LIMIT $2`;

const WORKERS = `SELECT id, ${WORKER_COLUMNS} FROM workers WHERE id > $1 ORDER BY id LIMIT $2`;

const JOURNAL = `SELECT root_id, seq, root_id, seq, count, body FROM journal
  WHERE (root_id, seq) > ($1, $2) ORDER BY root_id, seq LIMIT $3`;

const SPECS = `SELECT root_id, id, root_id, id, body FROM specs
  WHERE (root_id, id) > ($1, $2) ORDER BY root_id, id LIMIT $3`;

const STEPS = `SELECT id, generation, name, id, name, result FROM steps
  WHERE (id, generation, name) > ($1, $2, $3) ORDER BY id, generation, name LIMIT $4`;

const LOGS =
  "SELECT seq, seq, id, fields FROM logs WHERE seq > $1 AND fields IS NOT NULL ORDER BY seq LIMIT $2";

function notes(table: string): Pages {
  const sql = `SELECT id, generation, id, body FROM ${table}
    WHERE (id, generation) > ($1, $2) ORDER BY id, generation LIMIT $3`;
  return { sql, before: ["", 0] };
}

/** Everything in a schema. Its own pages the server checks when it reads them, if it was set up so. */
export function inventory(db: Connection): Inventory {
  return {
    all: (sql, ...parameters) => db.all(sql, ...parameters),
    records: { sql: RECORDS, before: [""] },
    derived: DERIVED,
    unlisted: async (tags) => (await db.all<[string]>(UNLISTED, ...columnsOf(tags))).map(([id]) => id),
    drafts: { sql: DRAFTS, before: [""] },
    tombstones: { sql: TOMBSTONES, before: [""] },
    workers: { sql: WORKERS, before: [""] },
    journal: { sql: JOURNAL, before: ["", 0] },
    specs: { sql: SPECS, before: ["", ""] },
    steps: { sql: STEPS, before: ["", 0, ""] },
    checkpoints: notes("checkpoints"),
    progress: notes("progress"),
    logs: { sql: LOGS, before: [0] },
    contradictions: [],
  };
}

function columnsOf(tags: readonly Tagged[]): Parameter[] {
  return [
    textArray(tags.map(({ tag }) => toSafe(tag))),
    arrayOf(
      "int8",
      tags.map(({ createdAt }) => createdAt),
    ),
    textArray(tags.map(({ rootId }) => rootId)),
  ];
}
