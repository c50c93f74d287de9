import { DatabaseSync } from "node:sqlite";

/** Looks at the file past MageFlow, so that looking changes nothing. */
export class Look implements Disposable {
  readonly #db: DatabaseSync;

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  }

  number(sql: string): number {
    return Number(Object.values(this.#db.prepare(sql).get()!)[0]);
  }

  /** A column, in order. */
  numbers(sql: string): number[] {
    return this.#db
      .prepare(sql)
      .all()
      .map((row) => Number(Object.values(row)[0]));
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

/** Signatures that go on by themselves and have not ended. */
export const GOES_ON = `SELECT count(*) FROM signatures WHERE (name IN ('lost', 'work') OR kind = 'chain')
  AND status IN ('PENDING', 'READY', 'RUNNING', 'WAITING')`;

/** Changes whenever anything is done to any signature but those of this name. */
export const STATE = `SELECT sum(epoch) + 7 * sum(recoveries) + 11 * sum(generation) + 13 * sum(coalesce(finished_at, 0) % 100000)
    + 17 * count(*) + 19 * sum(status = 'RUNNING') + 23 * sum(status = 'READY')
  FROM signatures WHERE name <> 'probe'`;
