import type { FlowEvent } from "../core/event.ts";
import type { SignatureRecord, SpecRow } from "../core/record.ts";
import type { ResumeReport } from "../core/resume-report.ts";
import type { Status } from "../core/status.ts";
import type {
  AuditQuery,
  AuditRow,
  ChildQuery,
  Damage,
  ListQuery,
  LogQuery,
  LogRow,
  Notes,
  SpecRef,
  Tombstone,
  WorkerRow,
} from "../ports/store.ts";
import type { Held } from "./held.ts";
import type { Line } from "./line.ts";
import type { ServerTransaction } from "./server-transaction.ts";

/** What is read over one connection, each by what knows the statements of its server. */
export interface ServerTables {
  readonly pages: {
    get(ids: readonly string[]): Promise<SignatureRecord[]>;
    byKey(key: string): Promise<SignatureRecord | null>;
    children(query: ChildQuery): Promise<SignatureRecord[]>;
    tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>>;
    scan(after: string | null, limit: number): Promise<SignatureRecord[]>;
    stops(limit: number): Promise<SignatureRecord[]>;
    readyNames(): Promise<Map<string, number>>;
    nextDue(): Promise<number | null>;
  };
  readonly specs: { shown(refs: readonly SpecRef[]): Promise<SpecRow[]> };
  readonly newest: { list(query: ListQuery): Promise<SignatureRecord[]> };
  readonly journals: {
    read(rootId: string, after: number, limit: number): Promise<FlowEvent[]>;
    lastSeq(rootId: string): Promise<number>;
  };
  readonly tombstones: { get(rootId: string): Promise<Tombstone | null> };
  readonly audit: { read(query: AuditQuery): Promise<AuditRow[]> };
  readonly reports: { newest(after: string | null, limit: number): Promise<ResumeReport[]> };
  readonly logs: {
    read(query: LogQuery): Promise<LogRow[]>;
    count(rootId: string, limit: number): Promise<number>;
  };
  readonly notes: { read(id: string, generation: number): Promise<Notes> };
  readonly waiting: {
    strays(limit: number): Promise<string[]>;
    stalled(limit: number): Promise<string[]>;
    holders(after: string | null, limit: number): Promise<string[]>;
    unsettled(after: string | null, limit: number): Promise<SignatureRecord[]>;
    awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>>;
  };
  readonly workers: {
    newest(limit: number): Promise<WorkerRow[]>;
    extend(workerId: string, lease: number): Promise<boolean>;
  };
}

/** Tells of commits, those of other processes too. */
export interface ServerBell {
  open(): void;
  close(): Promise<void>;
  add(listener: () => void): () => void;
  ring(): void;
}

/** A commit whose answer was lost, and the connection it was sent on. */
export interface Lost<C, X> {
  readonly db: C;
  readonly tx: X;
}

/** A kind of server, as {@link ServerStore} makes a store of it. */
export interface Server<C extends Held, X extends ServerTransaction> {
  /** For people, without secrets. */
  readonly name: string;
  connect(): Promise<C>;
  tables(db: C): ServerTables;
  /** Brings the schema up to date, and makes it only if `create`. It may be done again when it was cut off. */
  migrate(db: C, create: boolean): Promise<void>;
  /** `hand` is a connection to ring by. */
  bell(hand: Line<C>): ServerBell;
  /** Begins a transaction, and drops those sessions that are not alive. What it throws is explained. */
  begin(db: C, sessions: Set<string>): Promise<X>;
  /** Sent right behind the writes. Null when it is there, else why that is not known; what was not kept is thrown, explained. */
  commit(db: C, tx: X): Promise<Error | null>;
  rollback(db: C): Promise<void>;
  /** The last stamp that was committed by who made this commit, 0 when there is none; "open" when this one may still be kept. */
  fate(db: C, lost: Lost<C, X>): Promise<number | "open">;
  damage(db: C, limit: number): Promise<Damage[]>;
  /** What a connection threw, in the words of the port; anything else comes back as it is. */
  explain(error: unknown): unknown;
  /** True when nothing more is heard of what was under way. */
  isLoss(error: unknown): boolean;
  /** True when the server is not there yet or has no room for one more connection. */
  isPassing(error: unknown): boolean;
}
