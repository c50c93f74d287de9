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
  type Store,
  type StoreAddress,
  type Tombstone,
  type Transaction,
  type WorkerRow,
} from "../../ports/store.ts";
import { Bell, COUNT } from "./bell.ts";
import { Connection } from "./connection.ts";
import { explain, explainInside, isLoss, isPassing, leavesOpen } from "./failures.ts";
import { Integrity } from "./integrity.ts";
import { KnownTasks } from "../known-tasks.ts";
import { Line } from "../line.ts";
import { Lines } from "../lines.ts";
import type { Location } from "./location.ts";
import { migrate } from "./migrate.ts";
import { patiently } from "../patience.ts";
import { MysqlTransaction } from "./mysql-transaction.ts";
import { StampTable } from "./stamp-table.ts";
import { NOW } from "./store-time.ts";
import { Tables } from "./tables.ts";

export interface MysqlOptions {
  /** How long to try when the server cannot be reached or takes no more connections, in milliseconds. 10 s if not given. */
  readonly patience?: number;
}

const PATIENCE_MS = 10_000;

/** Transactions of one process at once: those of the lanes of its committer, and others are few. */
const MOST_TRANSACTIONS = 4;

/**
 * A session that is silent for so long in the middle of a transaction is ended by the server, and what it has locked let go (s); between
 * two it may be silent for as long as is usual.
 */
const HURRY = "SET SESSION wait_timeout = 15";
const REST = "SET SESSION wait_timeout = 28800";

const BEGIN = "START TRANSACTION READ WRITE";

const BEGUN = `SELECT ${NOW}`;

/** The session by its number and its other end, as long as the server has not done with it. */
const SESSION = "SELECT 1 FROM information_schema.processlist WHERE id = $1 AND ($2 IS NULL OR host = $2)";

/**
 * A store in a database of MySQL or MariaDB. Records are locked row by row, so that transactions of any number of processes go on
 * side by side; reads go beside them on a connection of their own and see what was committed. Heartbeats have one too, so that no
 * other work keeps them waiting.
 */
export class MysqlStore implements Store {
  readonly name: string;
  readonly lanes = 2;
  readonly address: StoreAddress;
  readonly #location: Location;
  readonly #patience: number;
  readonly #writers: Lines<Connection>;
  readonly #reader: Line<Connection>;
  readonly #heart: Line<Connection>;
  readonly #eyes: Line<Connection>;
  readonly #bell: Bell;
  #opening: Promise<void> | null = null;
  #isOpen = false;
  /** What is under way, which closing waits for. */
  readonly #work = new Set<Promise<unknown>>();
  readonly #tasks = new KnownTasks();
  /** Sessions of workers here, which almost every transaction asks for. */
  readonly #sessions = new Set<string>();
  #now = 0;
  /** The last stamp that each process got committed here. */
  readonly #stamps = new Map<string, number>();
  /** Commits whose answers were lost, by who made them. */
  readonly #unknown = new Map<string, Connection["session"]>();

  /** `module` is the one that exports `openStore`, `url` what to give it. */
  constructor(
    location: Location,
    { module, url }: StoreAddress,
    { patience = PATIENCE_MS }: MysqlOptions = {},
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
    this.#eyes = new Line(() => Connection.open(location));
    this.#bell = new Bell(this.#eyes);
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
    this.#bell.close();
    await Promise.all([this.#writers.close(), this.#reader.close(), this.#heart.close(), this.#eyes.close()]);
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
      const { id, host } = unknown;
      if ((await this.#reading((db) => db.get(SESSION, id, host))) !== undefined)
        throw new StoreError(
          "STORE_BUSY",
          `${this.name} has not ended a transaction of this process yet; ask again`,
        );
      this.#stamps.set(by, await this.#read(({ stamps }) => stamps.last(by)));
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

  /** The server checks its own pages as it reads them; what is looked at here is what they hold. */
  async damage(limit: number): Promise<Damage[]> {
    return this.#reading((db) => new Integrity(db).damage(limit));
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
      const update = async (): Promise<void> => {
        const db = await this.#reader.connection();
        await migrate(db, this.#location);
        await new StampTable(db).dropOld();
      };
      // What was cut off in the middle is made again.
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

  async #transact<T>(work: (tx: MysqlTransaction) => Promise<T>): Promise<T> {
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

  async #begin(db: Connection): Promise<MysqlTransaction> {
    try {
      db.hold();
      const { workers } = new Tables(db);
      const [, , alive, begun] = await Promise.all([
        db.run(HURRY),
        db.run(BEGIN),
        workers.alive([...this.#sessions]),
        db.get<[number]>(BEGUN),
      ]);
      for (const id of this.#sessions) if (!alive.has(id)) this.#sessions.delete(id);
      // It never goes back in this process when the server's clock does.
      this.#now = Math.max(this.#now, begun![0]);
      return new MysqlTransaction(db, {
        location: this.#location,
        tasks: this.#tasks,
        alive,
        now: this.#now,
      });
    } catch (error) {
      await this.#rollback(db);
      throw explainInside(error, this.#location);
    }
  }

  /** Sent right behind the writes. When one of them has failed, nothing behind it is done, and all is taken back. */
  async #commit(db: Connection, tx: MysqlTransaction): Promise<void> {
    const commit = Promise.all([db.run(COUNT), db.run("COMMIT"), db.run(REST)]).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    const failure = (await tx.failure()) ?? (await commit);
    if (failure === null) {
      db.release();
      if (tx.stamp !== null) this.#stamps.set(tx.stamp.by, tx.stamp.n);
      this.#bell.ring();
      return;
    }
    await commit;
    const { error } = failure;
    if (!leavesOpen(error)) {
      await this.#rollback(db);
      throw explain(error, this.#location);
    }
    db.destroy();
    if (tx.stamp !== null) this.#unknown.set(tx.stamp.by, db.session);
    throw new OutcomeUnknown(
      `the connection to ${this.name} was lost during a commit, which may have been kept`,
      { cause: error },
    );
  }

  async #rollback(db: Connection): Promise<void> {
    if (db.lost) return;
    db.release();
    await Promise.all([db.run("ROLLBACK"), db.run(REST)]).catch(() => db.destroy());
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
