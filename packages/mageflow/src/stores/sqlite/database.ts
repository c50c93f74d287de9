import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "../../core/errors.ts";
import { Connection } from "./connection.ts";
import { isBusy } from "./failures.ts";
import { describeLocation, type Location } from "./location.ts";
import { migrate } from "./migrate.ts";
import { RecordCache } from "./record-cache.ts";
import { Tables } from "./tables.ts";

/**
 * An open database: a connection that writes and one that reads, so that reads never see what is not committed. A
 * database in memory belongs to one connection, which does both.
 */
export class Database {
  readonly location: Location;
  readonly writer: Connection;
  readonly #reader: Connection;
  /** What the writer knows of the records. */
  readonly cache: RecordCache = new RecordCache();
  /** What the writer sees. */
  readonly written: Tables;
  /** What the reader sees. */
  readonly read: Tables;

  private constructor(location: Location, writer: Connection, reader: Connection) {
    this.location = location;
    this.writer = writer;
    this.#reader = reader;
    this.written = new Tables(writer);
    this.read = writer === reader ? this.written : new Tables(reader);
  }

  /** Throws what SQLite throws; when that is `SQLITE_BUSY`, nothing was done. */
  static open(location: Location): Database {
    if (location !== null) mkdirSync(dirname(location), { recursive: true });
    const writer = new Connection(location, { readOnly: false });
    try {
      if (location !== null) useWriteAheadLog(writer, location);
      migrate(writer, location);
      if (location === null) return new Database(null, writer, writer);
      requireWritable(writer);
      return new Database(location, writer, new Connection(location, { readOnly: true }));
    } catch (error) {
      writer.close();
      throw error;
    }
  }

  /** True when reads and writes have one connection, and must take turns. */
  get shared(): boolean {
    return this.writer === this.#reader;
  }

  /** Reads one state of the database. */
  snapshot<T>(work: (tables: Tables) => T): T {
    this.#reader.run("BEGIN");
    try {
      return work(this.read);
    } finally {
      this.#reader.rollback();
    }
  }

  /** Throws `SQLITE_BUSY` when another process writes. */
  begin(): void {
    this.writer.run("BEGIN IMMEDIATE");
    try {
      this.cache.begin(this.writer.get<[number]>("PRAGMA data_version")![0]);
    } catch (error) {
      this.writer.rollback();
      throw error;
    }
  }

  /** Changes with every commit, also of other processes. Null when the file cannot be read now. */
  version(): number | null {
    try {
      return this.#reader.get<[number]>(this.shared ? "SELECT total_changes()" : "PRAGMA data_version")![0];
    } catch {
      return null;
    }
  }

  /** The writer last: the last to close copies the log into the database. */
  close(): void {
    if (!this.shared) this.#reader.close();
    this.writer.close();
  }
}

/** Kept in the file, so that this writes for a new one only. */
function useWriteAheadLog(writer: Connection, location: Location): void {
  const [mode] = writer.get<[string]>("PRAGMA journal_mode = WAL")!;
  if (mode === "wal") return;
  throw new StoreError(
    "STORE_UNAVAILABLE",
    `${describeLocation(location)} cannot have a write-ahead log; give a path on a local disk`,
  );
}

/** SQLite opens a file that it may not write for reading, and says so at the first write. */
function requireWritable(writer: Connection): void {
  try {
    writer.run("BEGIN IMMEDIATE");
  } catch (error) {
    if (!isBusy(error)) throw error;
  } finally {
    writer.rollback();
  }
}
