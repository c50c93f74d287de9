import { STATUSES } from "../../core/status.ts";
import type { Damage } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";

const SOUND = "ok";
const HEADING = "***";

/**
 * What makes a row unreadable: each statement gives ids and what is wrong with them. They go through the tables, so that they look at
 * each row once.
 */
const UNREADABLE: readonly string[] = [
  `SELECT id, CASE
      WHEN status NOT IN (${STATUSES.map((status) => `'${status}'`).join(", ")})
        THEN 'its status "' || status || '" is none'
      WHEN NOT json_valid(error) THEN 'its column error is not JSON'
      WHEN NOT json_valid(family) THEN 'its column family is not JSON'
      WHEN NOT json_valid(stop) THEN 'its column stop is not JSON'
      WHEN NOT json_valid(deletion) THEN 'its column deletion is not JSON'
      WHEN NOT json_valid(lock) THEN 'its column lock is not JSON'
      WHEN NOT json_valid(tags) THEN 'its column tags is not JSON'
    END AS why
    FROM signatures WHERE why IS NOT NULL LIMIT ?`,
  "SELECT root_id, 'its spec \"' || id || '\" is not JSON' FROM specs WHERE NOT json_valid(body) LIMIT ?",
  "SELECT root_id, 'entry ' || seq || ' of its journal is not JSON' FROM journal WHERE NOT json_valid(body) LIMIT ?",
  `SELECT id, 'of its worker session the tasks or rules are not JSON' FROM workers
    WHERE NOT json_valid(tasks) OR NOT json_valid(auto_resume) LIMIT ?`,
];

/** What contradicts what stands beside it, in tables that no record tells of. */
const CONTRADICTIONS: readonly string[] = [
  // The root of a draft comes with its end, and what is being discarded has been marked as removed.
  `SELECT drafts.root_id, 'it is stored, but hidden as one that is still being stored, or removed'
    FROM drafts CROSS JOIN signatures ON signatures.id = drafts.root_id
    WHERE begun_at >= 0 OR coalesce(deletion ->> '$.purged', 0) = 0 LIMIT ?`,
  "SELECT tombstones.id, 'it is stored, but has a tombstone' FROM tombstones CROSS JOIN shown ON shown.id = tombstones.id LIMIT ?",
  `SELECT root_id, 'lists of what is inside it miss what was stored at ' || created_at
    FROM (SELECT DISTINCT root_id, created_at FROM signatures WHERE parent_id IS NOT NULL) AS born
    WHERE NOT EXISTS (SELECT 1 FROM births WHERE births.root_id = born.root_id AND births.created_at = born.created_at)
    LIMIT ?`,
  `SELECT id, 'lists by its tag miss it' FROM shown
    WHERE parent_id IS NULL AND json_valid(tags) AND EXISTS (SELECT 1 FROM json_each(tags)
      WHERE NOT EXISTS (SELECT 1 FROM root_tags
        WHERE tag = json_each.value AND root_tags.created_at = shown.created_at AND root_id = shown.id))
    LIMIT ?`,
  `SELECT root_id, 'its journal jumps to entry ' || seq || ', but ' || due || ' comes next'
    FROM (SELECT root_id, seq, lag(seq + count, 1, 1) OVER (PARTITION BY root_id ORDER BY seq) AS due FROM journal)
    WHERE seq <> due LIMIT ?`,
  `SELECT root_id, 'its journal holds not the ' || count || ' entries from ' || seq || ' on that it should' FROM journal
    WHERE json_valid(body)
      AND (SELECT sum(json_array_length(value, '$[4]')) FROM json_each(body) WHERE type = 'array') IS NOT count LIMIT ?`,
  "SELECT id, 'the result of its step \"' || name || '\" is not JSON' FROM steps WHERE NOT json_valid(result) LIMIT ?",
  "SELECT id, 'its checkpoint is not JSON' FROM checkpoints WHERE NOT json_valid(body) LIMIT ?",
  "SELECT id, 'its progress is not JSON' FROM progress WHERE NOT json_valid(body) LIMIT ?",
  "SELECT id, 'the fields of its log line ' || seq || ' are not JSON' FROM logs WHERE NOT json_valid(fields) LIMIT ?",
];

/** What is wrong with a SQLite file: with its pages, and with what the rows hold. */
export class Integrity {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Reads everything, some 130 ms for 100 MB of pages that the system has in memory. */
  damage(limit: number): Damage[] {
    const damage = this.#pages(limit);
    // Pages that are broken have told of themselves; rows on them may not be read at all.
    if (damage.length > 0) return damage;
    for (const sql of [...UNREADABLE, ...CONTRADICTIONS]) {
      const rows = this.#db.all<[string, string]>(sql, limit - damage.length);
      for (const [id, message] of rows) damage.push({ id, message });
    }
    return damage;
  }

  /**
   * What SQLite finds wrong with its own pages. It does not hold indexes against their table, which would take several times as long. A
   * pragma takes no parameters; a whole number is its limit.
   */
  #pages(limit: number): Damage[] {
    const told = this.#db.all<[string]>(`PRAGMA quick_check(${Math.trunc(limit)})`);
    // What it finds in one tree comes as one text, a line each.
    const lines = told.flatMap(([text]) => text.split("\n"));
    const wrong = lines.filter((line) => line !== SOUND && !line.startsWith(HEADING));
    return wrong.slice(0, limit).map((message) => ({ id: null, message }));
  }
}
