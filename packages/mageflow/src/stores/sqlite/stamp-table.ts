import type { Stamp } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";

const PUT = "INSERT OR REPLACE INTO stamps (by, n) VALUES (?, ?)";

const LAST = "SELECT n FROM stamps WHERE by = ?";

/** The last commit of each process. */
export class StampTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  put({ by, n }: Stamp): void {
    this.#db.run(PUT, by, n);
  }

  last(by: string): number {
    return this.#db.get<[number]>(LAST, by)?.[0] ?? 0;
  }
}
