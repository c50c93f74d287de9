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
    for (const sql of UNREADABLE) {
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
