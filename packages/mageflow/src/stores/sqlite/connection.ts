import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Location } from "./location.ts";

/** What a statement is given for its parameters. */
export type Parameter = SQLInputValue;

/**
 * The settings of every connection. `synchronous=FULL` syncs the write-ahead log at each commit: with less, a power loss
 * may take acknowledged commits. The log is copied into the database every 2,000 pages (8 MB), and cut back to 64 MB
 * after a long reader has let it grow.
 */
const SETTINGS = `
  PRAGMA synchronous = FULL;
  PRAGMA temp_store = MEMORY;
  PRAGMA wal_autocheckpoint = 2000;
  PRAGMA journal_size_limit = 67108864;
`;

/** Kibibytes of pages in memory. A write goes back to the same pages again and again, a read hardly ever. */
const WRITER_CACHE = 16_384;
const READER_CACHE = 4_096;

/**
 * A connection, with every statement prepared once. Rows are arrays in the order of the selected columns. A lock that is
 * taken is an error at once: SQLite would block the event loop while it waits.
 */
export class Connection {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens the file for reading and writing, and makes it when it is not there; `readOnly` needs it to be there. */
  constructor(location: Location, { readOnly }: { readOnly: boolean }) {
    this.#db = new DatabaseSync(location ?? ":memory:", {
      readOnly,
      returnArrays: true,
      enableForeignKeyConstraints: false,
    });
    try {
      this.#db.exec(SETTINGS);
      this.#db.exec(`PRAGMA cache_size = -${readOnly ? READER_CACHE : WRITER_CACHE}`);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** True between `BEGIN` and its end. A full disk ends a transaction without being asked. */
  get inTransaction(): boolean {
    return this.#db.isTransaction;
  }

  /** Runs statements without parameters, one after the other. */
  exec(sql: string): void {
    this.#db.exec(sql);
  }

  all<Row>(sql: string, ...parameters: Parameter[]): Row[] {
    return this.#prepared(sql).all(...parameters) as Row[];
  }

  get<Row>(sql: string, ...parameters: Parameter[]): Row | undefined {
    return this.#prepared(sql).get(...parameters) as Row | undefined;
  }

  /** Returns how many rows the statement has changed. */
  run(sql: string, ...parameters: Parameter[]): number {
    return Number(this.#prepared(sql).run(...parameters).changes);
  }

  /** Returns the rowid of the last row that the statement has inserted. */
  insert(sql: string, ...parameters: Parameter[]): number {
    return Number(this.#prepared(sql).run(...parameters).lastInsertRowid);
  }

  rollback(): void {
    if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}
