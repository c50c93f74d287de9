import type { Connection } from "./connection.ts";

const SOUND = "ok";
const HEADING = "***";

/** What SQLite finds wrong with its own pages. */
export class Integrity {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /**
   * Reads every page of the file, some 130 ms for 100 MB that the system has in memory, but does not hold indexes against their
   * table, which would take several times as long. A pragma takes no parameters; a whole number is its limit.
   */
  damage(limit: number): string[] {
    const told = this.#db.all<[string]>(`PRAGMA quick_check(${Math.trunc(limit)})`);
    // What it finds in one tree comes as one text, a line each.
    const lines = told.flatMap(([text]) => text.split("\n"));
    return lines.filter((line) => line !== SOUND && !line.startsWith(HEADING)).slice(0, limit);
  }
}
