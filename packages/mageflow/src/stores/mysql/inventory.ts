import { toSafe } from "../safe-text.ts";
import type { Inventory, Pages } from "../server-integrity.ts";
import { WORKER_COLUMNS } from "../worker-row.ts";
import { COLUMNS, DERIVED, text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { SHOWN } from "./visible.ts";

const IS_UNLISTED = `SELECT 1 FROM DUAL
  WHERE NOT EXISTS (SELECT 1 FROM mageflow_root_tags WHERE tag = $1 AND created_at = $2 AND root_id = $3)`;

/** Without what may be large and is looked into by those alone who use it. */
const SMALL = COLUMNS.replaceAll(/s\.`(bound|message|result)`/g, "NULL");

const RECORDS = `SELECT ${text("s.id")}, s.parent_id IS NULL OR EXISTS (SELECT 1 FROM mageflow_births AS b
      WHERE b.root_id = s.root_id AND b.created_at = s.created_at),
    ${SHOWN}, ${SMALL}, ${DERIVED.map(({ name, isBytes }) => (isBytes ? text(`s.${name}`) : `s.${name}`)).join(", ")}
  FROM mageflow_signatures AS s WHERE s.id > $1 ORDER BY s.id LIMIT $2`;

/** The root of a draft comes with its end. */
const DRAFTS = `SELECT ${text("d.root_id")}, ${text("d.root_id")}, d.begun_at >= 0, ${SMALL}
  FROM mageflow_drafts AS d JOIN mageflow_signatures AS s ON s.id = d.root_id
  WHERE d.root_id > $1 ORDER BY d.root_id LIMIT $2`;

const TOMBSTONES = `SELECT ${text("t.id")}, ${text("t.id")}
  FROM mageflow_tombstones AS t JOIN mageflow_signatures AS s ON s.id = t.id
  WHERE t.id > $1 AND ${SHOWN} ORDER BY t.id LIMIT $2`;

const WORKERS = `SELECT ${text("id")}, ${WORKER_COLUMNS.replace("id", text("id"))} FROM mageflow_workers
  WHERE id > $1 ORDER BY id LIMIT $2`;

/** The first column of a key is compared alone too: of two at once the server does not make a place to begin at. */
const JOURNAL = `SELECT ${text("root_id")}, seq, ${text("root_id")}, seq, count, body FROM mageflow_journal
  WHERE root_id >= $1 AND (root_id, seq) > ($1, $2) ORDER BY root_id, seq LIMIT $3`;

const SPECS = `SELECT ${text("root_id")}, ${text("id")}, ${text("root_id")}, ${text("id")}, body FROM mageflow_specs
  WHERE root_id >= $1 AND (root_id, id) > ($1, $2) ORDER BY root_id, id LIMIT $3`;

const STEPS = `SELECT seq, ${text("id")}, name, result FROM mageflow_steps WHERE seq > $1 ORDER BY seq LIMIT $2`;

const LOGS = `SELECT seq, seq, ${text("id")}, fields FROM mageflow_logs
  WHERE seq > $1 AND fields IS NOT NULL ORDER BY seq LIMIT $2`;

const HEADS = `SELECT ${text("h.root_id")}, ${text("h.root_id")},
    CONCAT('its journal ends before entry ', h.last, ', which was the last')
  FROM mageflow_journal_heads AS h WHERE h.root_id > $1
    AND h.last > COALESCE((SELECT MAX(seq + count - 1) FROM mageflow_journal AS j WHERE j.root_id = h.root_id), 0)
  ORDER BY h.root_id LIMIT $2`;

function notes(table: string): Pages {
  const sql = `SELECT ${text("id")}, generation, ${text("id")}, body FROM mageflow_${table}
    WHERE id >= $1 AND (id, generation) > ($1, $2) ORDER BY id, generation LIMIT $3`;
  return { sql, before: ["", 0] };
}

/** Everything in a database. The server checks its own pages as it reads them. */
export function inventory(db: Connection): Inventory {
  return {
    all: (sql, ...parameters) => db.all(sql, ...parameters),
    records: { sql: RECORDS, before: [""] },
    derived: DERIVED,
    unlisted: async (tags) => {
      const found = await Promise.all(
        tags.map(({ tag, createdAt, rootId }) => db.all(IS_UNLISTED, toSafe(tag), createdAt, rootId)),
      );
      return tags.flatMap(({ rootId }, n) => (found[n]!.length > 0 ? rootId : []));
    },
    drafts: { sql: DRAFTS, before: [""] },
    tombstones: { sql: TOMBSTONES, before: [""] },
    workers: { sql: WORKERS, before: [""] },
    journal: { sql: JOURNAL, before: ["", 0] },
    specs: { sql: SPECS, before: ["", ""] },
    steps: { sql: STEPS, before: [0] },
    checkpoints: notes("checkpoints"),
    progress: notes("progress"),
    logs: { sql: LOGS, before: [0] },
    contradictions: [{ sql: HEADS, before: [""] }],
  };
}
