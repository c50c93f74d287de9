import { StoreError } from "../core/errors.ts";
import type { FlowEvent } from "../core/event.ts";
import type { SignatureRecord, SpecRow } from "../core/record.ts";
import type { ResumeReport } from "../core/resume-report.ts";
import type { Status } from "../core/status.ts";
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
} from "../ports/store.ts";
import type { Held } from "./held.ts";
import { Line } from "./line.ts";
import { Lines } from "./lines.ts";
import { patiently } from "./patience.ts";
import type { Lost, Server, ServerBell, ServerTables } from "./server.ts";
import type { ServerTransaction } from "./server-transaction.ts";

export interface ServerStoreOptions {
  /** How long to try when the server cannot be reached or takes no more connections, in milliseconds. 10 s if not given. */
  readonly patience?: number;
  /** Whether to make the store where there is none; else opening it throws StoreError `STORE_MISSING`. True if not given. */
  readonly create?: boolean;
}

const PATIENCE_MS = 10_000;

/** Transactions of one process at once; its committer makes one after the other, and others are few. */
const MOST_TRANSACTIONS = 4;

/**
 * A store in a database on a server. Records are locked row by row, so that transactions of any number of processes go on side by side;
 * reads go beside them on a connection of their own and see what was committed. Heartbeats have one too, so that no other work keeps them
 * waiting. What differs from one kind of server to the other is in {@link Server}.
 */
export class ServerStore<C extends Held, X extends ServerTransaction> implements Store {
  readonly name: string;
  readonly address: StoreAddress;
  readonly #server: Server<C, X>;
  readonly #patience: number;
  readonly #create: boolean;
  readonly #writers: Lines<C>;
  readonly #reader: Line<C>;
  readonly #heart: Line<C>;
  readonly #bell: ServerBell;
  #opening: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #isOpen = false;
  /** What is under way, which closing waits for. */
  readonly #work = new Set<Promise<unknown>>();
  /** Sessions of workers here, which almost every transaction asks for. */
  readonly #sessions = new Set<string>();
  /** The last stamp that each process got committed here. */
  readonly #stamps = new Map<string, number>();
  /** Commits whose answers were lost, by who made them. */
  readonly #unknown = new Map<string, Lost<C, X>>();

  /** `module` is the one that exports `openStore`, `url` what to give it. */
  constructor(
    server: Server<C, X>,
    { module, url }: StoreAddress,
    { patience = PATIENCE_MS, create = true }: ServerStoreOptions = {},
  ) {
    this.#server = server;
    this.#patience = patience;
    this.#create = create;
    this.name = server.name;
    this.address = { module, url };
    const open = (): Promise<C> =>
      patiently(
        () => server.connect(),
        patience,
        (error) => server.isPassing(error),
      );
    this.#writers = new Lines(open, MOST_TRANSACTIONS);
    this.#reader = new Line(open);
    this.#heart = new Line(open);
    this.#bell = server.bell(this.#reader);
  }

  open(): Promise<void> {
    if (this.#closing !== null) return this.#closing.then(() => this.open());
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /** Waits for what was asked for. */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => (this.#closing = null));
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#opening?.catch(() => {});
    this.#isOpen = false;
    this.#opening = null;
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
    await this.#bell.close();
    await Promise.all([this.#writers.close(), this.#reader.close(), this.#heart.close()]);
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
    const lost = this.#unknown.get(by);
    if (lost !== undefined) {
      const stamp = await this.#reading((db) => this.#server.fate(db, lost));
      if (stamp === "open")
        throw new StoreError(
          "STORE_BUSY",
          `${this.name} has not ended a transaction of this process yet; ask again`,
        );
      this.#stamps.set(by, stamp);
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
    return this.#reading((db) => this.#server.damage(db, limit));
  }

  async heartbeat(workerId: string, lease: number): Promise<boolean> {
    return this.#during(async () => {
      try {
        return await this.#server.tables(await this.#heart.connection()).workers.extend(workerId, lease);
      } catch (error) {
        throw this.#server.explain(error);
      }
    });
  }

  watch(listener: () => void): () => void {
    return this.#bell.add(listener);
  }

  async #open(): Promise<void> {
    try {
      // What was cut off in the middle is made again.
      await this.#again((db) => this.#server.migrate(db, this.#create));
    } catch (error) {
      await this.#reader.close();
      throw this.#server.explain(error);
    }
    this.#isOpen = true;
    this.#bell.open();
  }

  #read<T>(work: (tables: ServerTables) => Promise<T>): Promise<T> {
    return this.#reading((db) => work(this.#server.tables(db)));
  }

  #reading<T>(work: (db: C) => Promise<T>): Promise<T> {
    return this.#during(async () => {
      try {
        return await this.#again(work);
      } catch (error) {
        throw this.#server.explain(error);
      }
    });
  }

  /** For what may be done twice: it is done again, on a new connection, when the one it was done on is lost. */
  #again<T>(work: (db: C) => Promise<T>): Promise<T> {
    return patiently(
      async () => work(await this.#reader.connection()),
      this.#patience,
      (error) => this.#server.isLoss(error),
    );
  }

  async #transact<T>(work: (tx: X) => Promise<T>): Promise<T> {
    const server = this.#server;
    const db = await this.#writers.take().catch((error: unknown) => {
      throw server.explain(error);
    });
    try {
      const tx = await server.begin(db, this.#sessions);
      let answer: T;
      try {
        answer = await work(tx);
        for (const id of tx.asked) this.#sessions.add(id);
        tx.check();
      } catch (error) {
        await server.rollback(db);
        throw error;
      } finally {
        tx.end();
      }
      if (tx.hasWritten) await this.#commit(db, tx);
      // Locks alone are not worth the time that a commit takes to be durable.
      else await server.rollback(db);
      return answer;
    } finally {
      this.#writers.give(db);
    }
  }

  async #commit(db: C, tx: X): Promise<void> {
    const { stamp } = tx;
    const doubt = await this.#server.commit(db, tx);
    if (doubt === null) {
      if (stamp !== null) this.#stamps.set(stamp.by, stamp.n);
      this.#bell.ring();
      return;
    }
    if (stamp !== null) this.#unknown.set(stamp.by, { db, tx });
    throw new OutcomeUnknown(
      `the connection to ${this.name} was lost during a commit, which may have been kept`,
      { cause: doubt },
    );
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
