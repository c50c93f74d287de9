import type { Demand } from "../core/choose.ts";
import type { SignatureRecord, SpecRow } from "../core/record.ts";
import type { ResumeReport } from "../core/resume-report.ts";
import type {
  AuditRow,
  Changes,
  DraftStep,
  LogLine,
  SpecRef,
  Stamp,
  Ticket,
  Tombstone,
  WindowQuery,
  WorkerRow,
} from "../ports/store.ts";
import type { ServerTables } from "./server.ts";

/** Answers of the server to statements that were sent. */
export type Sent = Promise<unknown>[];

/** A record as it is stored, and what it has become. */
export interface Update {
  readonly before: SignatureRecord;
  readonly now: SignatureRecord;
}

/** What a transaction asks for and writes over its connection, each by what knows the statements of its server. */
export interface TransactionTables {
  readonly signatures: {
    /** Without a lock. */
    read(ids: readonly string[]): Promise<SignatureRecord[]>;
    lock(ids: readonly string[]): Promise<SignatureRecord[]>;
    existing(ids: readonly string[]): Promise<string[]>;
    byKey(key: string): Promise<SignatureRecord | null>;
    itemsByKey(parentId: string, keys: readonly string[]): Promise<SignatureRecord[]>;
    window(query: WindowQuery): Promise<SignatureRecord[]>;
    ready(demand: Demand): Promise<SignatureRecord[]>;
    due(now: number, limit: number): Promise<SignatureRecord[]>;
    heldByWorker(workerId: string, limit: number): Promise<SignatureRecord[]>;
    owing(parentId: string, limit: number): Promise<SignatureRecord[]>;
    owed(limit: number): Promise<string[]>;
    sweeping(limit: number): Promise<string[]>;
    purgeable(now: number, limit: number): Promise<SignatureRecord[]>;
    underWayIn(rootId: string, limit: number): Promise<SignatureRecord[]>;
  };
  readonly records: {
    insert(records: readonly SignatureRecord[]): Sent;
    update(updates: readonly Update[]): Sent;
    /** Of trees that are condemned. */
    dropTags(roots: readonly SignatureRecord[]): Sent;
  };
  readonly pages: Pick<ServerTables["pages"], "tally">;
  readonly waiting: Pick<ServerTables["waiting"], "awaited">;
  readonly specs: {
    get(refs: readonly SpecRef[]): Promise<SpecRow[]>;
    put(rows: readonly SpecRow[]): Sent;
  };
  readonly workers: {
    lapsed(now: number, limit: number): Promise<WorkerRow[]>;
    alive(ids: readonly string[]): Promise<ReadonlySet<string>>;
    put(rows: readonly WorkerRow[]): Sent;
  };
  readonly drafts: {
    prepare(steps: readonly DraftStep[], now: number): Promise<void>;
    finish(steps: readonly DraftStep[]): Sent;
    condemn(rootIds: readonly string[]): Promise<void>;
    abandoned(before: number, limit: number): Promise<string[]>;
    discard(rootId: string, limit: number): Promise<boolean>;
  };
  readonly journals: {
    append(journal: NonNullable<Changes["journal"]>, logged: readonly string[], now: number): Sent;
  };
  readonly logs: { append(lines: readonly LogLine[]): Sent };
  readonly notes: { put(changes: Changes): Sent };
  readonly tombstones: { put(tombstones: readonly Tombstone[]): Sent };
  readonly audit: { last(): Promise<AuditRow | null>; append(rows: readonly AuditRow[]): Sent };
  readonly tickets: {
    get(token: string, now: number): Promise<Ticket | null>;
    put(tickets: readonly Ticket[], now: number): Sent;
  };
  readonly reports: { lastStart(): Promise<number | null>; put(reports: readonly ResumeReport[]): Sent };
  readonly stamps: { put(stamp: Stamp, now: number): Promise<unknown> };
}
