import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "../../core/errors.ts";
import type { FlowEvent } from "../../core/event.ts";
import type { SignatureRecord, SpecRow } from "../../core/record.ts";
import type { ResumeReport } from "../../core/resume-report.ts";
import type { Status } from "../../core/status.ts";
import {
  type AuditQuery,
  type AuditRow,
  type ChildQuery,
  type Damage,
  type ListQuery,
  type LogQuery,
  type LogRow,
  type Notes,
  OutcomeUnknown,
  type SpecRef,
  type Store,
  type StoreAddress,
  type Tombstone,
  type Transaction,
  type WorkerRow,
} from "../../ports/store.ts";
import { Database } from "./database.ts";
import { explain, isSyncFailure } from "./failures.ts";
import { describeLocation, type Location } from "./location.ts";
import { patiently } from "./patience.ts";
import { readablePage } from "./readable.ts";
import { toRecord } from "../signature-row.ts";
import type { Row } from "./row.ts";
import { SqliteTransaction } from "./sqlite-transaction.ts";
import { StoreTime } from "./store-time.ts";
import type { Tables } from "./tables.ts";
import { Turns } from "../turns.ts";
import { WaitingBell } from "./waiting-bell.ts";
import { Watch } from "./watch.ts";

export interface SqliteOptions {
  /** The clock of the store, epoch milliseconds. */
  readonly now?: () => number;
  /** How long to try when other processes have the file locked, in milliseconds. 10 s if not given. */
  readonly patience?: number;
}

const PATIENCE_MS = 10_000;

/** Twice the pause of who has just begun to wait. */
const AFTER_YOU_MS = 2;

/**
 * A store in one SQLite file. Transactions of this process run one after the other, those of other processes are kept
 * apart by SQLite; reads go beside them on a connection of their own and see what was committed.
 */
export class SqliteStore implements Store {
  readonly name: string;
  readonly address: StoreAddress | null;
  readonly #location: Location;
  readonly #time: StoreTime;
  readonly #patience: number;
  readonly #turns = new Turns();
  readonly #bell: WaitingBell;
  readonly #watch: Watch;
  #opening: Promise<void> | null = null;
  #database: Database | null = null;
  #isOpen = false;
  /** Set when the disk did not take a commit: nothing is written any more. */
  #syncFailure: Error | null = null;
  /**
   * The last stamp that each process got committed here. It need not be in the file: SQLite takes a commit that failed back before
   * it says so, unless the disk did not sync it, and then nothing is told.
   */
  readonly #stamps = new Map<string, number>();

  /** `module` is the one that exports `openStore`. */
  constructor(
    location: Location,
    module: string,
    { now = Date.now, patience = PATIENCE_MS }: SqliteOptions = {},
  ) {
    this.#location = location;
    this.#time = new StoreTime(now);
    this.#patience = patience;
    this.name = describeLocation(location);
    this.address = location === null ? null : { module, url: `sqlite:${location}` };
    this.#bell = new WaitingBell(location);
    this.#watch = new Watch(() => this.#database?.version() ?? null);
  }

  open(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /** Waits for the transactions that were asked for. A database in memory lasts as long as the store. */
  async close(): Promise<void> {
    const end = await this.#turns.next();
    try {
      await this.#opening?.catch(() => {});
      this.#isOpen = false;
      if (this.#database === null || this.#database.shared) return;
      this.#database.close();
      this.#database = null;
    } finally {
      this.#opening = null;
      this.#syncFailure = null;
      end();
    }
  }

  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#transact(work);
  }

  async get(ids: readonly string[]): Promise<SignatureRecord[]> {
    return this.#read(({ pages }) => pages.get(ids).map(toRecord));
  }

  async byKey(key: string): Promise<SignatureRecord | null> {
    return this.#read(({ pages }) => {
      const row = pages.byKey(key);
      return row === undefined ? null : toRecord(row);
    });
  }

  async specs(refs: readonly SpecRef[]): Promise<SpecRow[]> {
    return this.#read(({ specs }) => specs.shown(refs));
  }

  async children(query: ChildQuery): Promise<SignatureRecord[]> {
    return this.#page(query.limit, ({ pages }, limit) => pages.children({ ...query, limit }));
  }

  async tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>> {
    return this.#read(({ pages }) => pages.tally(parentId, statuses));
  }

  async list(query: ListQuery): Promise<SignatureRecord[]> {
    return this.#page(query.limit, ({ newest }, limit) => newest.list({ ...query, limit }));
  }

  async scan({ after, limit }: { after: string | null; limit: number }): Promise<SignatureRecord[]> {
    return this.#page(limit, ({ pages }, most) => pages.scan(after, most));
  }

  async journal(query: { rootId: string; after: number; limit: number }): Promise<FlowEvent[]> {
    return this.#read(({ journals }) => journals.read(query.rootId, query.after, query.limit));
  }

  async tombstone(rootId: string): Promise<Tombstone | null> {
    return this.#read(({ tombstones }) => tombstones.get(rootId));
  }

  async audit(query: AuditQuery): Promise<AuditRow[]> {
    return this.#read(({ audit }) => audit.read(query));
  }

  async reports({ after, limit }: { after: string | null; limit: number }): Promise<ResumeReport[]> {
    return this.#read(({ reports }) => reports.newest(after, limit));
  }

  async stops(limit: number): Promise<SignatureRecord[]> {
    return this.#page(limit, ({ pages }, most) => pages.stops(most));
  }

  async logCount(rootId: string, limit: number): Promise<number> {
    return this.#read(({ logs }) => logs.count(rootId, limit));
  }

  async lastSeq(rootId: string): Promise<number> {
    return this.#read(({ journals }) => journals.lastSeq(rootId));
  }

  async logs(query: LogQuery): Promise<LogRow[]> {
    return this.#read(({ logs }) => logs.read(query));
  }

  async notes(id: string, generation: number): Promise<Notes> {
    return this.#read(({ notes }) => notes.read(id, generation));
  }

  /** After a sync failure the last commit may turn up when the file is opened again: then this cannot be told. */
  async stamped(by: string): Promise<number> {
    this.#opened();
    this.#refuseAfterSyncFailure();
    return this.#stamps.get(by) ?? 0;
  }

  async readyNames(): Promise<Map<string, number>> {
    return this.#read(({ pages }) => pages.readyNames());
  }

  async nextDue(): Promise<number | null> {
    return this.#read(({ pages }) => pages.nextDue());
  }

  async strays(limit: number): Promise<string[]> {
    return this.#read(({ waiting }) => waiting.strays(limit));
  }

  async stalled(limit: number): Promise<string[]> {
    return this.#read(({ waiting }) => waiting.stalled(limit));
  }

  async holders({ after, limit }: { after: string | null; limit: number }): Promise<string[]> {
    return this.#read(({ waiting }) => waiting.holders(after, limit));
  }

  async unsettled({ after, limit }: { after: string | null; limit: number }): Promise<SignatureRecord[]> {
    return this.#page(limit, ({ waiting }, most) => waiting.unsettled(after, most));
  }

  async awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>> {
    return this.#read(({ waiting }) => waiting.awaited(ids));
  }

  async workers(limit: number): Promise<WorkerRow[]> {
    return this.#read(({ workers }) => workers.newest(limit));
  }

  /** What is broken may keep the check itself from its end. */
  async damage(limit: number): Promise<Damage[]> {
    try {
      return await this.#read(({ integrity }) => integrity.damage(limit));
    } catch (error) {
      if (error instanceof StoreError && error.code === "STORE_CORRUPT")
        return [{ id: null, message: error.message }];
      throw error;
    }
  }

  async heartbeat(workerId: string, lease: number): Promise<boolean> {
    return this.#transact((tx) => tx.extend(workerId, lease));
  }

  watch(listener: () => void): () => void {
    return this.#watch.add(listener);
  }

  async #open(): Promise<void> {
    this.#database ??= await this.#patiently(() => Database.open(this.#location));
    this.#isOpen = true;
  }

  /** Reads see one state of the database, whatever other processes commit meanwhile. */
  async #read<T>(work: (tables: Tables) => T): Promise<T> {
    const database = this.#opened();
    if (database.shared) {
      const end = await this.#turns.next();
      try {
        return work(this.#opened().read);
      } finally {
        end();
      }
    }
    return this.#patiently(() => database.snapshot(work));
  }

  /** What can be read of a page. */
  async #page(
    limit: number,
    rows: (tables: Tables, limit: number) => readonly Row[],
  ): Promise<SignatureRecord[]> {
    const stored = await this.#read((tables) => readablePage(limit, (most) => rows(tables, most)));
    return stored.map(({ record }) => record);
  }

  async #transact<T>(work: (tx: SqliteTransaction) => Promise<T>): Promise<T> {
    const end = await this.#turns.next();
    try {
      const database = this.#opened();
      this.#refuseAfterSyncFailure();
      await this.#begin(database);
      const tx = new SqliteTransaction(database, this.#time.now());
      let answer: T;
      try {
        answer = await work(tx);
        tx.check();
      } catch (error) {
        database.writer.rollback();
        throw error;
      } finally {
        tx.end();
      }
      this.#commit(database);
      tx.remember();
      if (tx.stamp !== null) this.#stamps.set(tx.stamp.by, tx.stamp.n);
      return answer;
    } finally {
      end();
    }
  }

  async #begin(database: Database): Promise<void> {
    let contended = this.#bell.rang();
    if (contended) await sleep(AFTER_YOU_MS);
    await this.#patiently(
      () => database.begin(),
      () => {
        this.#bell.ring();
        contended = true;
      },
    );
    // Whoever rang until now has waited with this one, or is this one.
    if (contended) this.#bell.hush();
  }

  /** What did not fit or met a lock was not kept. Any other failure may have come after the log was written. */
  #commit(database: Database): void {
    try {
      database.writer.run("COMMIT");
    } catch (error) {
      database.writer.rollback();
      database.cache.clear();
      if (isSyncFailure(error)) this.#syncFailure = error as Error;
      const cause = explain(error, this.#location);
      if (cause instanceof StoreError && (cause.code === "STORE_BUSY" || cause.code === "STORE_FULL"))
        throw cause;
      const what = `a commit to ${this.name} failed, and may have been kept: ${(error as Error).message}`;
      throw new OutcomeUnknown(what, { cause });
    }
  }

  /** A sync that failed is not tried again: the system may have dropped what it could not write, and say that all is well. */
  #refuseAfterSyncFailure(): void {
    if (this.#syncFailure === null) return;
    throw new StoreError(
      "STORE_UNAVAILABLE",
      `${this.name} is not written any more because the disk failed to keep a commit; check the disk, then close the store and open it again`,
      { cause: this.#syncFailure },
    );
  }

  async #patiently<T>(attempt: () => T, waiting?: () => void): Promise<T> {
    try {
      return await patiently(attempt, this.#patience, waiting);
    } catch (error) {
      throw explain(error, this.#location);
    }
  }

  #opened(): Database {
    if (this.#database !== null && this.#isOpen) return this.#database;
    throw new StoreError("STORE_UNAVAILABLE", `${this.name} is not open; call open() first`);
  }
}
