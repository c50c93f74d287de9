import type { Demand } from "../core/choose.ts";
import type { Entry, FlowEvent, Progress } from "../core/event.ts";
import type { Role } from "../core/ids.ts";
import type { Kind } from "../core/plan.ts";
import type { SignatureRecord, SpecRow } from "../core/record.ts";
import type { ResumeRules } from "../core/recovery.ts";
import type { ResumeReport } from "../core/resume-report.ts";
import type { Status } from "../core/status.ts";
import type { Stub } from "../core/stub.ts";
import type { SweepOf } from "../core/sweep.ts";

/**
 * The database that holds the truth.
 *
 * A store persists; it decides nothing. All changes go through {@link Store.transact}, whose changes land together or
 * not at all and are durable when it returns. Ids and keys compare bytewise, payload texts come back unchanged,
 * instants are whole epoch milliseconds by the store's own clock. Every read is bounded by a limit.
 *
 * A record that somebody has damaged, so that it cannot be read, costs nobody else anything: where it is asked for by its id or key, the
 * read throws an `UnreadableError`; all other reads leave it out and warn of it once.
 *
 * Not here: what a status means, when something is due, who may do what. Whoever opens a store closes it.
 */
export interface Store {
  /** For people: kind and place, without secrets. */
  readonly name: string;

  /** How a thread or another process opens this store for itself, or null when only this process can reach it. */
  readonly address: StoreAddress | null;

  /**
   * Connects and brings the schema up to date. Idempotent; safe in several processes at once.
   *
   * @throws StoreError `STORE_NEWER`, `STORE_CORRUPT`, `STORE_READ_ONLY`, `STORE_BUSY`, `STORE_FULL`, `STORE_MISSING`, `STORE_UNAVAILABLE`.
   */
  open(): Promise<void>;

  close(): Promise<void>;

  /**
   * Runs `work` in one transaction that no other transaction of this store can interleave with on the records it locks.
   * When `work` throws, nothing of it is kept and the error comes through.
   *
   * @throws StoreError. `STORE_BUSY` means that nothing was done and the same call may be made again. Any other
   *   failure of the commit itself is {@link OutcomeUnknown}: it may have been kept.
   */
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;

  /**
   * The records that exist, in no particular order. Unfinished drafts and what is being discarded are not shown by any read, nor is
   * what belongs to them: specs, journal, logs and notes.
   */
  get(ids: readonly string[]): Promise<SignatureRecord[]>;

  /** The root that was stored with this idempotency key. */
  byKey(key: string): Promise<SignatureRecord | null>;

  /** Specs by workflow and id; the ones that exist. */
  specs(refs: readonly SpecRef[]): Promise<SpecRow[]>;

  /** Children or callbacks of a signature by slot, those with a slot beyond `after`. */
  children(query: ChildQuery): Promise<SignatureRecord[]>;

  /** How many children of a container have each of these statuses. Ask for open ones: they are bounded by windows. */
  tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>>;

  /**
   * Signatures, newest first. What is in one workflow and has a status that most of it has at some time (PENDING or SUCCEEDED) may be looked
   * for among all of it, and be found late where it is rare.
   */
  list(query: ListQuery): Promise<SignatureRecord[]>;

  /** Every record in the order of ids beyond `after`: for audits. */
  scan(query: { after: string | null; limit: number }): Promise<SignatureRecord[]>;

  /** Journal entries of a workflow with `seq` beyond `after`, in order. */
  journal(query: { rootId: string; after: number; limit: number }): Promise<FlowEvent[]>;

  /** What is left of a workflow that was removed, by its root's id. */
  tombstone(rootId: string): Promise<Tombstone | null>;

  /** Rows of the audit trail: in the order of `seq` those beyond `after`, or backwards those before it. */
  audit(query: AuditQuery): Promise<AuditRow[]>;

  /** What processes did about unfinished work, newest first, in the order of ids before `after`. */
  reports(query: { after: string | null; limit: number }): Promise<ResumeReport[]>;

  /** RUNNING signatures that were told to stop, those first whose grace ends first. */
  stops(limit: number): Promise<SignatureRecord[]>;

  /** How many log lines a workflow has, counted up to `limit`. */
  logCount(rootId: string, limit: number): Promise<number>;

  /** The last `seq` of a workflow's journal, 0 when it is empty. */
  lastSeq(rootId: string): Promise<number>;

  /** Log lines, oldest first, those with a `seq` beyond `after`. */
  logs(query: LogQuery): Promise<LogRow[]>;

  /** What the attempts of one generation have memoised and saved, and its last progress. */
  notes(id: string, generation: number): Promise<Notes>;

  /**
   * The last {@link Stamp} number that `by`, a session of this process, got committed since the store was opened, 0 when there is
   * none.
   */
  stamped(by: string): Promise<number>;

  /** Names of tasks with ready signatures, and how many (counted up to 1,000 each). */
  readyNames(): Promise<Map<string, number>>;

  /** The next instant at which something falls due (see {@link Transaction.due}), be it past, or null. */
  nextDue(): Promise<number | null>;

  /** RUNNING tasks whose worker session is not known or has ended: nobody looks after them. */
  strays(limit: number): Promise<string[]>;

  /**
   * Signatures that wait for nothing, as their own record says: WAITING for no time, a RUNNING task under no worker, PENDING
   * though it was told to start (`readyAt`) and nothing holds it. In the order of ids.
   */
  stalled(limit: number): Promise<string[]>;

  /** What signatures are held by (`heldBy`), each once, be it known or not, in the order of ids beyond `after`. */
  holders(query: { after: string | null; limit: number }): Promise<string[]>;

  /**
   * Signatures that wait for what is inside them: RUNNING containers, and what has ended and is not settled. In the order of ids
   * beyond `after`.
   */
  unsettled(query: { after: string | null; limit: number }): Promise<SignatureRecord[]>;

  /** See {@link Transaction.awaited}. */
  awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>>;

  /** Worker sessions, newest first. */
  workers(limit: number): Promise<WorkerRow[]>;

  /**
   * What is broken below all records, in what holds them, and in what cannot be read of them, in the store's own words; empty when it is
   * sound, or when it cannot tell. For audits: it may read everything there is, and hold up this process meanwhile.
   */
  damage(limit: number): Promise<Damage[]>;

  /**
   * Extends a worker's lease to now + `lease` ms. False when the session is not known or was declared dead: what it
   * held belongs to others.
   */
  heartbeat(workerId: string, lease: number): Promise<boolean>;

  /**
   * Calls `listener` when anybody may have committed something, at the latest 100 ms after it. May call it for
   * nothing. Returns the function that ends the watch.
   */
  watch(listener: () => void): () => void;
}

/** A damage of the store. */
export interface Damage {
  /** The signature that it is about, be it there or not, or null when it is about the store itself. */
  readonly id: string | null;
  readonly message: string;
}

/** A commit whose fate is not known: the connection was lost between sending it and its answer. Read before writing again. */
export class OutcomeUnknown extends Error {
  override readonly name = "OutcomeUnknown";
}

/** A module that exports `openStore(url): Store`, and the url to give it. */
export interface StoreAddress {
  readonly module: string;
  readonly url: string;
}

export interface SpecRef {
  readonly rootId: string;
  readonly id: string;
}

export interface ChildQuery {
  readonly parentId: string;
  /** `children`: steps and items. `callbacks`: everything attached to an outcome. */
  readonly of: "children" | "callbacks";
  readonly statuses?: readonly Status[];
  /** Slot (children) or id (callbacks) of the last one seen, or null for the first page. */
  readonly after: number | string | null;
  readonly limit: number;
}

export interface WindowQuery extends SweepOf {
  readonly limit: number;
}

export interface ListQuery {
  /** Only roots, or everything. */
  readonly roots: boolean;
  readonly statuses?: readonly Status[];
  readonly kinds?: readonly Kind[];
  readonly names?: readonly string[];
  readonly roles?: readonly Role[];
  /** Workflows whose root has this tag. */
  readonly tag?: string;
  readonly rootId?: string;
  /** Roots with a mark of deletion, or what has none. */
  readonly marked?: boolean;
  /** Position of the last one seen, from its `createdAt` and `id`. */
  readonly after: { readonly createdAt: number; readonly id: string } | null;
  readonly limit: number;
}

export const AUDIT_ORDERS = ["oldest", "newest"] as const;

export interface AuditQuery {
  /** Which rows come first. */
  readonly order: (typeof AUDIT_ORDERS)[number];
  /** `seq` of the last one seen, or null for the first page. */
  readonly after: number | null;
  readonly limit: number;
}

export interface LogQuery {
  /** One signature, or a whole workflow. */
  readonly id?: string;
  readonly rootId?: string;
  /** Lines of this level or above. */
  readonly level?: LogLevel;
  /** Text that the message contains. */
  readonly contains?: string;
  readonly after: number;
  readonly limit: number;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A log line, before the store numbers it. */
export interface LogLine {
  readonly id: string;
  readonly rootId: string;
  readonly generation: number;
  readonly attempt: number;
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
  /** JSON text of an object, or null. */
  readonly fields: string | null;
}

/** `seq` grows over the whole store, with gaps. */
export interface LogRow extends LogLine {
  readonly seq: number;
}

export interface Notes {
  /** Results of finished steps by name, JSON texts. */
  readonly steps: ReadonlyMap<string, string>;
  readonly checkpoint: string | null;
  readonly progress: Progress | null;
}

/** A process that runs task code. It holds the leases of all its tasks by one row. */
export interface WorkerRow {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Names of the tasks that it runs. */
  readonly tasks: readonly string[];
  readonly concurrency: number;
  /** What becomes of its tasks when it is lost. */
  readonly autoResume: ResumeRules;
  readonly startedAt: number;
  readonly leaseUntil: number;
  /** Set when its lease lapsed and its tasks were taken over, or when it said goodbye. */
  readonly endedAt: number | null;
}

/**
 * What a transaction can load, and the one way to write. Reads show the state before the transaction: what it has written
 * itself is not read back. Reads by id or parent (`lock`, `read`, `specs`, `itemsByKey`, `window`,
 * `owing`) do show an unfinished draft, to the one who is writing it, until it is being discarded.
 */
export interface Transaction {
  /**
   * The store's time, the same all through the transaction. Where a server's clock is told without asking it each time, it is never ahead
   * of that clock, and may be behind by as long as an answer takes.
   */
  readonly now: number;

  /**
   * Locks records against other transactions until this one ends, and reads them as they are now. With `wait` it waits
   * for those that are locked; without, their ids come back as `busy`, and so do those of tasks below something that has
   * changed since this transaction read it. Ids that do not exist are left out.
   */
  lock(ids: readonly string[], options: { wait: boolean }): Promise<Locked>;

  /** Reads without a lock, and leaves out what cannot be read. */
  read(ids: readonly string[]): Promise<SignatureRecord[]>;

  specs(refs: readonly SpecRef[]): Promise<SpecRow[]>;

  /** The root that was stored with this idempotency key. A draft has no key yet, not even to the one who is writing it. */
  byKey(key: string): Promise<SignatureRecord | null>;

  /** Items of a swarm that have one of these keys. */
  itemsByKey(parentId: string, keys: readonly string[]): Promise<SignatureRecord[]>;

  /**
   * Locks the next signatures of a sweep:
   * `start`: PENDING children that nothing holds, by priority, then slot;
   * `skip`: children that never ran (PENDING, READY, WAITING, SUSPENDED, with attempt 0 and nothing running inside), and INTERRUPTED ones
   * that have stopped with all that they hold, or do not resume when they have;
   * `unhold`: what this signature holds (`heldBy`), by id; `clean`: cleanups among it, and what is inside of cleanups, by id;
   * `interrupt`: children that have begun (RUNNING, or with an attempt made, or SUSPENDED while running, and not PENDING with nothing that
   * holds them) and INTERRUPTED ones that have not stopped with all that they hold, which this signature has not told to stop; and those
   * that have ended uncleaned and not credited;
   * `cancel`: children that have not ended, which this signature has not told to cancel, but for PENDING ones that nothing holds; and those
   * that have ended without an order to stop and are not settled;
   * `hasten`: what is RUNNING inside this signature at any depth, cleanups and what is inside of those excepted, has been told to stop,
   * and has a grace that is over after `until`;
   * `reset`: children that have ended.
   */
  window(query: WindowQuery): Promise<SignatureRecord[]>;

  /**
   * Locks ready tasks for a worker, at most `slots` in all and for each name its own number, those first whose turn it is; and none below
   * what has changed since this transaction read it.
   */
  ready(demand: Demand): Promise<SignatureRecord[]>;

  /**
   * Locks WAITING signatures whose time has come, READY or WAITING tasks whose deadline has passed, and what is RUNNING, was told to stop
   * and has had its grace; oldest first, each once, by the earliest of its instants.
   */
  due(limit: number): Promise<SignatureRecord[]>;

  /** Worker sessions whose lease has lapsed and that are not ended. */
  lapsed(limit: number): Promise<WorkerRow[]>;

  /** True when this worker session is known and not ended, which it then stays until the transaction ends. */
  alive(workerId: string): Promise<boolean>;

  /** Locks tasks that are RUNNING under this worker. */
  heldByWorker(workerId: string, limit: number): Promise<SignatureRecord[]>;

  /** Locks children whose milestone is beyond what this parent has been credited with. */
  owing(parentId: string, limit: number): Promise<SignatureRecord[]>;

  /** Parents that {@link owing} has children for. */
  owed(limit: number): Promise<string[]>;

  /** Signatures that have a sweep to go on with. */
  sweeping(limit: number): Promise<string[]>;

  /**
   * What each of these signatures may be waiting for, in no particular order, for those that have any of it: for each status that
   * is not an end the first child by slot, PENDING ones that something holds and SUSPENDED ones that were told to start (`readyAt`)
   * apart from the others; every callback in such a status; the first by id that {@link owing} gives, and the first by id of those
   * below that {@link Store.unsettled} gives.
   */
  awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>>;

  /** See {@link Store.tally}. */
  tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>>;

  /** Locks roots whose `deletion.purgeAt` has come, whatever their status, those first that are due longest. */
  purgeable(limit: number): Promise<SignatureRecord[]>;

  /**
   * Locks tasks of a workflow that are RUNNING, its root among them, be they under a worker or not, and what is INTERRUPTED inside it, its
   * root not among that, and has not stopped with all that it holds.
   */
  underWayIn(rootId: string, limit: number): Promise<SignatureRecord[]>;

  /** The last row of the audit trail, which nobody else adds to until this transaction ends. */
  lastAudit(): Promise<AuditRow | null>;

  /** The instant (`at`) of the last report of a start, and nobody else adds such a one until this transaction ends. */
  lastStart(): Promise<number | null>;

  /** The ticket with this token that has not expired: it has when its `expiresAt` has come. */
  ticket(token: string): Promise<Ticket | null>;

  /**
   * Roots of drafts that were begun before this instant and never finished, and of what is being discarded, which has begun before all
   * time.
   */
  abandoned(before: number, limit: number): Promise<string[]>;

  /**
   * Removes up to `limit` records of a draft and, behind the last of them, all else of it: specs, journal, logs, steps, checkpoints,
   * progress, tags; be it at once or so much at a time. From the first call on nobody sees any of it, its ids are taken and nothing can be
   * added to it. True when it is gone, or was no draft: then its ids are free.
   */
  discard(rootId: string, limit: number): Promise<boolean>;

  write(changes: Changes): Promise<void>;
}

export interface Locked {
  readonly records: readonly SignatureRecord[];
  readonly busy: readonly string[];
}

/** Everything that one transaction changes. */
export interface Changes {
  readonly insert?: readonly SignatureRecord[];
  /**
   * Records that were locked, as they are now. Their id, place, kind, name and creation never change. A root may give up its key, which
   * what is inserted by the same transaction may have then.
   */
  readonly update?: readonly SignatureRecord[];
  readonly specs?: readonly SpecRow[];
  /** Numbered by the store, gapless within the workflow, in this order. */
  readonly journal?: ReadonlyMap<string, readonly Entry[]>;
  readonly logs?: readonly LogLine[];
  readonly steps?: readonly { id: string; generation: number; name: string; result: string }[];
  readonly checkpoints?: readonly { id: string; generation: number; body: string }[];
  readonly progress?: readonly { id: string; generation: number; progress: Progress }[];
  readonly workers?: readonly WorkerRow[];
  /** Stored, or put in the place of the one with the same id. */
  readonly tombstones?: readonly Tombstone[];
  /** Rows behind {@link Transaction.lastAudit}. A `seq` that is taken fails the transaction. */
  readonly audit?: readonly AuditRow[];
  /** A token that a ticket has which has not expired fails the transaction. */
  readonly tickets?: readonly Ticket[];
  /** Stored, or put in the place of the one with the same id. The {@link KEPT_REPORTS} newest are kept, and the last of a start. */
  readonly reports?: readonly ResumeReport[];
  readonly drafts?: readonly DraftStep[];
  readonly stamp?: Stamp;
}

/**
 * A tree that is stored in several transactions: `begin`, which comes with the first records, hides everything under the root until
 * `finish`, which comes with the last, the root among them; what comes between is `add`ed. Adding to or finishing a draft that is
 * not there (it was taken for abandoned) fails the transaction.
 */
export type DraftStep =
  | { readonly begin: string }
  | { readonly add: string }
  | { readonly finish: string }
  /**
   * Takes a stored tree out of every read, those by id or parent in a transaction too, to be discarded, and frees its root's key. It comes
   * after what else the same write does to the tree. One that is not stored, or was condemned before, fails the transaction.
   */
  | { readonly condemn: string };

/** What is left of a workflow that was removed, for those who ask for it. */
export interface Tombstone {
  /** The root's id, which is where all ids of the workflow begin. */
  readonly id: string;
  readonly name: string;
  readonly kind: Kind;
  /** The root's last status. */
  readonly status: Status;
  readonly at: number;
  readonly action: "cancel" | "delete" | "retention";
  readonly by: string;
  readonly reason: string | null;
  /** How it went, when that was to be kept. */
  readonly stub: Stub | null;
}

/** A row of the audit trail. Rows are only ever added, and outlive what they tell of. */
export interface AuditRow {
  /** From 1, without gaps. */
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly reason: string | null;
  /** JSON text of an object. */
  readonly details: string;
  /** Of the row before; of the first, 64 zeros. */
  readonly previousHash: string;
  readonly hash: string;
}

/** Resume reports that are kept. */
export const KEPT_REPORTS = 100;

/** Something that somebody may come back with until it expires. */
export interface Ticket {
  readonly token: string;
  /** JSON text. */
  readonly body: string;
  readonly expiresAt: number;
}

/** Names a commit, so that a process whose connection broke in the middle can find out whether it landed. */
export interface Stamp {
  readonly by: string;
  readonly n: number;
}
