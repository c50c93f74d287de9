import { performance } from "node:perf_hooks";
import { StoreError } from "../../core/errors.ts";
import type { FlowEvent } from "../../core/event.ts";
import type { SignatureRecord, SpecRow } from "../../core/record.ts";
import type { ResumeReport } from "../../core/resume-report.ts";
import type { Status } from "../../core/status.ts";
import {
  type Damage,
  type AuditQuery,
  type AuditRow,
  type ChildQuery,
  type ListQuery,
  type LogQuery,
  type LogRow,
  type Notes,
  OutcomeUnknown,
  type SpecRef,
  type Stamp,
  type Store,
  type StoreAddress,
  type Tombstone,
  type Transaction,
  type WorkerRow,
} from "../../ports/store.ts";
import { Bell } from "./bell.ts";
import { Connection } from "./connection.ts";
import { explain, explainInside, isLoss, isPassing } from "./failures.ts";
import { Integrity } from "./integrity.ts";
import { KnownTasks } from "../known-tasks.ts";
import { Line } from "../line.ts";
import { Lines } from "../lines.ts";
import type { Location } from "./location.ts";
import { migrate } from "./migrate.ts";
import { patiently } from "../patience.ts";
import { OwnWrites } from "./own-writes.ts";
import { type Begun, PostgresTransaction } from "./postgres-transaction.ts";
import { textArray } from "./arrays.ts";
import { ServerTime } from "./server-time.ts";
import { NOW } from "./store-time.ts";
import { Tables } from "./tables.ts";
import { ALIVE } from "./worker-table.ts";

export interface PostgresOptions {
  /** How long to try when the server cannot be reached or takes no more connections, in milliseconds. 10 s if not given. */
  readonly patience?: number;
}

const PATIENCE_MS = 10_000;

/** Transactions of one process at once: those of the lanes of its committer, and others are few. */
const MOST_TRANSACTIONS = 4;

const BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/**
 * The server's time, the number by which it knows later whether the transaction was committed, and which of these sessions are alive, one
 * after the other: a word each.
 */
const BEGUN = `SELECT ${NOW}, pg_current_xact_id(), array_to_string(ARRAY(${ALIVE}), ' ')`;

const COUNT = "SELECT nextval('commits')";

const FATE = "SELECT pg_xact_status($1::xid8)";

/**
 * A store in a schema of a PostgreSQL database. Records are locked row by row, so that transactions of any number of processes go on
 * side by side; reads go beside them on a connection of their own and see what was committed. Heartbeats have one too, so that no
 * other work keeps them waiting.
 */
export class PostgresStore implements Store {
  readonly name: string;
  readonly lanes = 2;
  readonly address: StoreAddress;
  readonly #location: Location;
  readonly #patience: number;
  readonly #writers: Lines<Connection>;
  readonly #reader: Line<Connection>;
  readonly #heart: Line<Connection>;
  readonly #ears: Line<Connection>;
  readonly #bell: Bell;
  #opening: Promise<void> | null = null;
  #isOpen = false;
  /** What is under way, which closing waits for. */
  readonly #work = new Set<Promise<unknown>>();
  readonly #tasks = new KnownTasks();
  /** Sessions of workers here, which almost every transaction asks for. */
  readonly #sessions = new Set<string>();
  readonly #time = new ServerTime(() => performance.now());
  readonly #ownWrites = new OwnWrites();
  /** The last stamp that each process got committed here. */
  readonly #stamps = new Map<string, number>();
  /** Commits whose answers were lost, by who made them. */
  readonly #unknown = new Map<string, { readonly stamp: Stamp; readonly transaction: string }>();

  /** `module` is the one that exports `openStore`, `url` what to give it. */
  constructor(
    location: Location,
    { module, url }: StoreAddress,
    { patience = PATIENCE_MS }: PostgresOptions = {},
  ) {
    this.#location = location;
    this.#patience = patience;
    this.name = location.name;
    this.address = { module, url };
    const open = (): Promise<Connection> => patiently(() => Connection.open(location), patience, isPassing);
    this.#writers = new Lines(open, MOST_TRANSACTIONS);
    this.#reader = new Line(open);
    this.#heart = new Line(open);
    // The bell comes again by itself.
    this.#ears = new Line(() => Connection.open(location));
    this.#bell = new Bell(location.schema, this.#ears, this.#reader);
  }

  open(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /** Waits for what was asked for. */
  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    this.#isOpen = false;
    this.#opening = null;
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
    await this.#bell.close();
    await Promise.all([this.#writers.close(), this.#reader.close(), this.#heart.close(), this.#ears.close()]);
  }

  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#during(() => this.#transact(work));
  }

  async get(ids: readonly string[]): Promise<SignatureRecord[]> {
    if (ids.length === 0) return [];
    return this.#read(({ pages }) => pages.get([...new Set(ids)]));
  }

  async byKey(key: string): Promise<SignatureRecord | null> {
    return this.#read(({ pages }) => pages.byKey(key));
  }

  async specs(refs: readonly SpecRef[]): Promise<SpecRow[]> {
    return this.#read(({ specs }) => specs.shown(refs));
  }

  async children(query: ChildQuery): Promise<SignatureRecord[]> {
    return this.#read(({ pages }) => pages.children(query));
  }

  async tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>> {
    return this.#read(({ pages }) => pages.tally(parentId, statuses));
  }

  async list(query: ListQuery): Promise<SignatureRecord[]> {
    return this.#read(({ newest }) => newest.list(query));
  }

  async scan({ after, limit }: { after: string | null; limit: number }): Promise<SignatureRecord[]> {
    return this.#read(({ pages }) => pages.scan(after, limit));
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
    return this.#read(({ pages }) => pages.stops(limit));
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

  /** A commit whose answer was lost may still be under way: then this cannot be told yet. */
  async stamped(by: string): Promise<number> {
    const unknown = this.#unknown.get(by);
    if (unknown !== undefined) {
      const fate = await this.#reading((db) => db.get<[string | null]>(FATE, unknown.transaction));
      if (fate![0] === "in progress")
        throw new StoreError(
          "STORE_BUSY",
          `${this.name} has not ended a transaction of this process yet; ask again`,
        );
      if (fate![0] === "committed") this.#stamps.set(by, unknown.stamp.n);
      this.#unknown.delete(by);
    }
    this.#requireOpen();
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
    return this.#read(({ waiting }) => waiting.unsettled(after, limit));
  }

  async awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>> {
    return this.#read(({ waiting }) => waiting.awaited(ids));
  }

  async workers(limit: number): Promise<WorkerRow[]> {
    return this.#read(({ workers }) => workers.newest(limit));
  }

  async damage(limit: number): Promise<Damage[]> {
    return this.#reading((db) => new Integrity(db, limit).damage());
  }

  async heartbeat(workerId: string, lease: number): Promise<boolean> {
    return this.#during(async () => {
      try {
        return await new Tables(await this.#heart.connection()).workers.extend(workerId, lease);
      } catch (error) {
        throw explain(error, this.#location);
      }
    });
  }

  watch(listener: () => void): () => void {
    return this.#bell.add(listener);
  }

  async #open(): Promise<void> {
    try {
      const update = async (): Promise<void> => migrate(await this.#reader.connection(), this.#location);
      // What was cut off in the middle has done nothing.
      await patiently(update, this.#patience, isLoss);
    } catch (error) {
      await this.#reader.close();
      throw explain(error, this.#location);
    }
    this.#isOpen = true;
    this.#bell.open();
  }

  #read<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
    return this.#reading((db) => work(new Tables(db)));
  }

  #reading<T>(work: (db: Connection) => Promise<T>): Promise<T> {
    return this.#during(async () => {
      try {
        // What only reads may be done again, on a new connection.
        return await patiently(() => this.#once(work), this.#patience, isLoss);
      } catch (error) {
        throw explain(error, this.#location);
      }
    });
  }

  async #once<T>(work: (db: Connection) => Promise<T>): Promise<T> {
    return work(await this.#reader.connection());
  }

  async #transact<T>(work: (tx: PostgresTransaction) => Promise<T>): Promise<T> {
    const db = await this.#writers.take().catch((error: unknown) => {
      throw explain(error, this.#location);
    });
    try {
      const tx = await this.#begin(db);
      let answer: T;
      try {
        answer = await work(tx);
        for (const id of tx.asked) this.#sessions.add(id);
        tx.check();
      } catch (error) {
        await this.#rollback(db);
        throw error;
      } finally {
        tx.end();
      }
      if (tx.hasWritten) await this.#commit(db, tx);
      // Locks alone are not worth the time that a commit takes to be durable.
      else await this.#rollback(db);
      return answer;
    } finally {
      this.#writers.give(db);
    }
  }

  /** What the transaction does first is sent right behind its beginning, unless the server's time has to be asked for. */
  async #begin(db: Connection): Promise<PostgresTransaction> {
    const begun = this.#begun(db);
    // Whoever asks for it hears of its failure, and some never do.
    begun.catch(() => {});
    let now = this.#time.now();
    if (now === null) {
      try {
        await begun;
      } catch (error) {
        await this.#rollback(db);
        throw explainInside(error, this.#location);
      }
      now = this.#time.now()!;
    }
    const parts = { location: this.#location, tasks: this.#tasks, ownWrites: this.#ownWrites, begun, now };
    return new PostgresTransaction(db, parts);
  }

  async #begun(db: Connection): Promise<Begun> {
    const sessions = [...this.#sessions];
    const [, row] = await Promise.all([
      db.exec(BEGIN),
      db.get<[now: number, number: string, alive: string]>(BEGUN, textArray(sessions)),
    ]);
    const [now, number, living] = row!;
    this.#time.hear(now);
    const alive = new Set(living.split(" "));
    for (const id of sessions) if (!alive.has(id)) this.#sessions.delete(id);
    return { alive, number };
  }

  /** Sent right behind the writes. When one of them has failed, the server takes everything back instead. */
  async #commit(db: Connection, tx: PostgresTransaction): Promise<void> {
    const counted = tx.isCounted ? undefined : db.all(COUNT).catch(() => {});
    const commit = db.exec("COMMIT").catch((error: unknown) => ({ error }));
    const failure = await tx.failure();
    const [answer] = await Promise.all([commit, counted]);
    if (answer === "COMMIT") {
      if (tx.stamp !== null) this.#stamps.set(tx.stamp.by, tx.stamp.n);
      this.#ownWrites.add(tx.written, tx.number);
      this.#bell.ring();
      return;
    }
    const { error } = typeof answer === "string" ? failure! : answer;
    if (!isLoss(error)) throw explain(failure?.error ?? error, this.#location);
    if (tx.stamp !== null) this.#unknown.set(tx.stamp.by, { stamp: tx.stamp, transaction: tx.number });
    throw new OutcomeUnknown(
      `the connection to ${this.name} was lost during a commit, which may have been kept`,
      { cause: error },
    );
  }

  async #rollback(db: Connection): Promise<void> {
    if (!db.lost) await db.exec("ROLLBACK").catch(() => db.destroy());
  }

  async #during<T>(work: () => Promise<T>): Promise<T> {
    this.#requireOpen();
    const answer = work();
    const ended = answer.then(
      () => {},
      () => {},
    );
    this.#work.add(ended);
    try {
      return await answer;
    } finally {
      this.#work.delete(ended);
    }
  }

  #requireOpen(): void {
    if (!this.#isOpen)
      throw new StoreError("STORE_UNAVAILABLE", `${this.name} is not open; call open() first`);
  }
}
