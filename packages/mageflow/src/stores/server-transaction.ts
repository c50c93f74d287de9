import type { Demand } from "../core/choose.ts";
import { StoreError } from "../core/errors.ts";
import type { SignatureRecord, SpecRow } from "../core/record.ts";
import type { Status } from "../core/status.ts";
import type {
  AuditRow,
  Changes,
  Locked,
  SpecRef,
  Stamp,
  Ticket,
  Transaction,
  WindowQuery,
  WorkerRow,
} from "../ports/store.ts";
import { above, requireAbove, tellsAlike } from "./above.ts";
import type { KnownTasks } from "./known-tasks.ts";
import { type Faults, Statements } from "./statements.ts";
import type { TransactionTables } from "./transaction-tables.ts";
import { whole } from "./whole.ts";

/** What one transaction at a time may do in a store, though there is no row that stands for it. */
export type Purpose = "audit" | "starts";

/** What keeps orders to containers and what goes on below them apart. */
export interface TransactionGates {
  /** To be sent before these are read, as those that others stand below. */
  toRead(ids: readonly string[]): Promise<void>;
  /** Passes those gates that are open, and tells which ids that is good for. */
  passable(ids: readonly string[]): Promise<(id: string) => boolean>;
}

/** What a transaction is made from. */
export interface TransactionParts<T extends TransactionTables, G extends TransactionGates> {
  readonly tables: T;
  readonly gates: G;
  readonly tasks: KnownTasks;
  readonly now: number;
  readonly faults: Faults;
}

/**
 * One transaction between its beginning and its end. Each statement sees what was committed before it, and what it locks is as it is now.
 * Writes are sent without waiting for their answers, so that they and the commit are one journey; what fails is told by the commit, or
 * by the next statement.
 */
export abstract class ServerTransaction<
  T extends TransactionTables = TransactionTables,
  G extends TransactionGates = TransactionGates,
> implements Transaction {
  readonly now: number;
  /** What it is to be known by when it has committed. */
  stamp: Stamp | null = null;
  /** Sessions of workers that were asked for, and that were not known to be alive. */
  readonly asked: string[] = [];
  /** Whether there is anything to be committed. */
  hasWritten = false;
  protected readonly tables: T;
  protected readonly gates: G;
  protected readonly tasks: KnownTasks;
  protected readonly statements: Statements;
  /** What is above of what was locked, read on the same journey. */
  protected readonly above: Map<string, SignatureRecord> = new Map();
  /** What is locked, as it is in the database: an update writes the difference. */
  protected readonly locked: Map<string, SignatureRecord> = new Map();
  /** What told something else to what stands below it when it was locked than when it was read. */
  readonly #misread = new Set<string>();

  constructor({ tables, gates, tasks, now, faults }: TransactionParts<T, G>) {
    this.tables = tables;
    this.gates = gates;
    this.tasks = tasks;
    this.now = now;
    this.statements = new Statements(faults);
  }

  abstract lock(ids: readonly string[], how: { wait: boolean }): Promise<Locked>;

  /** Those of these sessions that were found alive when it began, and stay so. */
  protected abstract knownAlive(): Promise<ReadonlySet<string>>;

  /** Waits for other transactions that do the same, until they end. */
  protected abstract onlyOne(purpose: Purpose): Promise<void>;

  /** Comes before anything is written. */
  protected async begins(_changes: Changes): Promise<void> {}

  /** Hears of what is written, as it is then. */
  protected wrote(_record: SignatureRecord): void {}

  /** Hears of trees that are there no more. */
  protected condemned(_rootIds: readonly string[]): void {}

  end(): void {
    this.statements.end();
  }

  check(): void {
    this.statements.check();
  }

  failure(): Promise<{ readonly error: unknown } | null> {
    return this.statements.failure();
  }

  read(ids: readonly string[]): Promise<SignatureRecord[]> {
    return this.statements.ask(async () => {
      const found = new Map<string, SignatureRecord>();
      const others: string[] = [];
      for (const id of new Set(ids)) {
        const known = this.above.get(id);
        if (known === undefined) others.push(id);
        else found.set(id, known);
      }
      if (others.length === 0) return [...found.values()];
      const { signatures } = this.tables;
      const [, read] = await Promise.all([this.gates.toRead(others), signatures.read(others)]);
      for (const record of read) {
        found.set(record.id, record);
        this.above.set(record.id, record);
      }
      const missing = others.filter((id) => !found.has(id));
      await requireAbove(missing, this.locked.values(), (below) => signatures.existing(below));
      return [...found.values()];
    });
  }

  specs(refs: readonly SpecRef[]): Promise<SpecRow[]> {
    return this.statements.ask(() => this.tables.specs.get(refs));
  }

  byKey(key: string): Promise<SignatureRecord | null> {
    return this.statements.ask(() => this.tables.signatures.byKey(key));
  }

  itemsByKey(parentId: string, keys: readonly string[]): Promise<SignatureRecord[]> {
    return this.statements.ask(() => this.tables.signatures.itemsByKey(parentId, keys));
  }

  window(query: WindowQuery): Promise<SignatureRecord[]> {
    return this.#locking(() => whole(query.limit, () => this.tables.signatures.window(query)));
  }

  ready(demand: Demand): Promise<SignatureRecord[]> {
    return this.#passing(() => this.tables.signatures.ready(demand));
  }

  due(limit: number): Promise<SignatureRecord[]> {
    return this.#passing(() => this.tables.signatures.due(this.now, limit));
  }

  lapsed(limit: number): Promise<WorkerRow[]> {
    return this.statements.ask(() => this.tables.workers.lapsed(this.now, limit));
  }

  alive(workerId: string): Promise<boolean> {
    return this.statements.ask(async () => {
      if ((await this.knownAlive()).has(workerId)) return true;
      this.asked.push(workerId);
      return (await this.tables.workers.alive([workerId])).has(workerId);
    });
  }

  heldByWorker(workerId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#locking(() => whole(limit, () => this.tables.signatures.heldByWorker(workerId, limit)));
  }

  owing(parentId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#locking(() => this.tables.signatures.owing(parentId, limit));
  }

  owed(limit: number): Promise<string[]> {
    return this.statements.ask(() => this.tables.signatures.owed(limit));
  }

  sweeping(limit: number): Promise<string[]> {
    return this.statements.ask(() => this.tables.signatures.sweeping(limit));
  }

  awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>> {
    return this.statements.ask(() => this.tables.waiting.awaited(ids));
  }

  tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>> {
    return this.statements.ask(() => this.tables.pages.tally(parentId, statuses));
  }

  purgeable(limit: number): Promise<SignatureRecord[]> {
    return this.#locking(() => this.tables.signatures.purgeable(this.now, limit));
  }

  underWayIn(rootId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#locking(() => whole(limit, () => this.tables.signatures.underWayIn(rootId, limit)));
  }

  lastAudit(): Promise<AuditRow | null> {
    return this.statements.ask(async () => {
      await this.onlyOne("audit");
      return this.tables.audit.last();
    });
  }

  lastStart(): Promise<number | null> {
    return this.statements.ask(async () => {
      await this.onlyOne("starts");
      return this.tables.reports.lastStart();
    });
  }

  ticket(token: string): Promise<Ticket | null> {
    return this.statements.ask(() => this.tables.tickets.get(token, this.now));
  }

  abandoned(before: number, limit: number): Promise<string[]> {
    return this.statements.ask(() => this.tables.drafts.abandoned(before, limit));
  }

  discard(rootId: string, limit: number): Promise<boolean> {
    return this.statements.ask(async () => {
      await this.#begin(NOTHING);
      return this.tables.drafts.discard(rootId, limit);
    });
  }

  write(changes: Changes): Promise<void> {
    return this.statements.ask(async () => {
      if (isEmpty(changes)) return;
      await this.#begin(changes);
      await this.#write(changes);
    });
  }

  protected remembered<R extends readonly SignatureRecord[]>(records: R): R {
    for (const record of records) {
      const { id } = record;
      const read = this.locked.has(id) ? undefined : this.above.get(id);
      if (read !== undefined && !tellsAlike(read, record)) this.#misread.add(id);
      this.locked.set(id, record);
    }
    this.tasks.add(records);
    return records;
  }

  /** Which of these tell something else to what stands below them than when this transaction read them; the others are remembered. */
  protected changed(read: readonly SignatureRecord[]): Set<string> {
    const changed = new Set<string>();
    for (const record of read) {
      const known = this.above.get(record.id);
      if (known === undefined) this.above.set(record.id, record);
      else if (!tellsAlike(known, record)) changed.add(record.id);
    }
    return changed;
  }

  #locking(find: () => Promise<SignatureRecord[]>): Promise<SignatureRecord[]> {
    return this.statements.ask(async () => this.remembered(await find()));
  }

  /**
   * Without what is below something that is being given an order, or that has changed since this transaction read it: it is there again when
   * that is done.
   */
  #passing(find: () => Promise<SignatureRecord[]>): Promise<SignatureRecord[]> {
    return this.statements.ask(async () => {
      const records = await find();
      const parents = above(records.map(({ id }) => id));
      if (parents.length === 0) return this.remembered(records);
      const [isOpen, read] = await Promise.all([
        this.gates.passable(parents),
        this.tables.signatures.read(parents.filter((id) => !this.locked.has(id))),
      ]);
      const changed = this.changed(read.filter(({ id }) => isOpen(id) || this.above.has(id)));
      const passes = (id: string): boolean => isOpen(id) && !changed.has(id);
      return this.remembered(records.filter(({ id }) => above([id]).every(passes)));
    });
  }

  async #begin(changes: Changes): Promise<void> {
    this.hasWritten = true;
    await this.begins(changes);
  }

  async #write(changes: Changes): Promise<void> {
    const { drafts, specs, journals, logs, notes, workers, tombstones, audit, tickets, reports, stamps } =
      this.tables;
    const steps = changes.drafts ?? [];
    if (steps.length > 0) await drafts.prepare(steps, this.now);
    await this.#lockHolders([...(changes.update ?? []), ...(changes.insert ?? [])]);
    // What is stored may have a key that another root gives up here.
    await this.#update(changes.update ?? []);
    this.#insert(changes.insert ?? []);
    const lines = changes.logs ?? [];
    const logged = lines.map(({ rootId }) => rootId);
    const { statements } = this;
    statements.send(specs.put(changes.specs ?? []));
    statements.send(journals.append(changes.journal ?? NO_JOURNAL, logged, this.now));
    statements.send(logs.append(lines));
    statements.send(notes.put(changes));
    statements.send(workers.put(changes.workers ?? []));
    statements.send(tombstones.put(changes.tombstones ?? []));
    statements.send(audit.append(changes.audit ?? []));
    statements.send(tickets.put(changes.tickets ?? [], this.now));
    statements.send(reports.put(changes.reports ?? []));
    statements.send(drafts.finish(steps));
    if (changes.stamp !== undefined) {
      this.stamp = changes.stamp;
      statements.send([stamps.put(changes.stamp, this.now)]);
    }
    const condemned = steps.flatMap((step) => ("condemn" in step ? step.condemn : []));
    if (condemned.length > 0) await this.#condemn(condemned);
  }

  /**
   * Whoever holds others looks for them once, when it lets them go. What is held from now on is written under its holder's lock, so that it
   * is there for that look; a holder that has let go since it was read, or may have, holds nothing any more.
   */
  async #lockHolders(records: readonly SignatureRecord[]): Promise<void> {
    const holders = new Set<string>();
    for (const { id, heldBy } of records)
      if (heldBy !== null && heldBy !== this.locked.get(id)?.heldBy) holders.add(heldBy);
    const free = [...holders].filter((id) => !this.locked.has(id));
    if (free.length > 0) this.remembered(await this.tables.signatures.lock(free.sort()));
    for (const id of holders)
      if (this.#misread.has(id))
        throw new StoreError(
          "STORE_BUSY",
          `"${id}" has changed since it was read, and what is in it; try again`,
        );
  }

  #insert(records: readonly SignatureRecord[]): void {
    if (records.length === 0) return;
    this.statements.send(this.tables.records.insert(records));
    for (const record of records) this.wrote(record);
  }

  async #update(records: readonly SignatureRecord[]): Promise<void> {
    const unknown = records.flatMap(({ id }) => (this.locked.has(id) ? [] : id));
    if (unknown.length > 0) this.remembered(await this.tables.signatures.lock([...new Set(unknown)]));
    const updates = records.map((now) => {
      const before = this.locked.get(now.id);
      if (before === undefined) throw new Error(`there is no signature "${now.id}" to update`);
      this.locked.set(now.id, now);
      this.wrote(now);
      return { before, now };
    });
    this.statements.send(this.tables.records.update(updates));
  }

  async #condemn(rootIds: readonly string[]): Promise<void> {
    const roots = this.remembered(await this.tables.signatures.lock([...new Set(rootIds)]));
    this.statements.send(this.tables.records.dropTags(roots));
    await this.tables.drafts.condemn(rootIds);
    this.condemned(rootIds);
  }
}

const NOTHING: Changes = {};
const NO_JOURNAL: NonNullable<Changes["journal"]> = new Map<string, never>();

function isEmpty(changes: Changes): boolean {
  return Object.values(changes).every((part: unknown) =>
    Array.isArray(part) ? part.length === 0 : part instanceof Map ? part.size === 0 : part === undefined,
  );
}
