import type { Demand } from "../../core/choose.ts";
import type { SignatureRecord, SpecRow } from "../../core/record.ts";
import type { Status } from "../../core/status.ts";
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
} from "../../ports/store.ts";
import { UnreadableError } from "../../ports/unreadable.ts";
import { above, isTaskBelow, requireAbove, tellsAlike } from "../above.ts";
import type { KnownTasks } from "../known-tasks.ts";
import type { Connection } from "./connection.ts";
import { explainInside, isLoss, isServerError } from "./failures.ts";
import { Gates, onlyOne } from "./gates.ts";
import { insertRecords } from "./insert-records.ts";
import type { Location } from "./location.ts";
import { dropTags } from "./root-tags.ts";
import { Tables } from "./tables.ts";
import { updateRecords } from "./update-records.ts";

/** What a transaction begins with. */
export interface Begun {
  readonly location: Location;
  readonly tasks: KnownTasks;
  readonly alive: ReadonlySet<string>;
  readonly now: number;
}

/**
 * One transaction between its beginning and its end. Each statement sees what was committed before it, and what it locks is as it is now.
 * Writes are sent without waiting for their answers, so that they and the commit are one journey; what fails is told by the commit, or
 * by the next statement.
 */
export class MysqlTransaction implements Transaction {
  readonly now: number;
  /** What the transaction is to be known by when it has committed. */
  stamp: Stamp | null = null;
  /** Sessions of workers that were asked for, and that were not known to be alive. */
  readonly asked: string[] = [];
  /** Whether there is anything to be committed. */
  hasWritten = false;
  readonly #db: Connection;
  readonly #tables: Tables;
  readonly #location: Location;
  readonly #gates: Gates;
  readonly #tasks: KnownTasks;
  /** Sessions that were found alive when it began, and stay so. */
  readonly #alive: ReadonlySet<string>;
  /** What is above of what was locked, read on the same journey. */
  readonly #above = new Map<string, SignatureRecord>();
  /** What is locked, as it is in the database: an update writes the difference. */
  readonly #locked = new Map<string, SignatureRecord>();
  /** Answers to writes that have been sent. */
  readonly #sent: Promise<void>[] = [];
  /** The first error of a statement: the server does nothing after it. */
  #failure: { readonly error: unknown } | null = null;
  #over = false;

  constructor(db: Connection, { location, tasks, alive, now }: Begun) {
    this.#db = db;
    this.#tables = new Tables(db);
    this.#gates = new Gates(db);
    this.#location = location;
    this.#tasks = tasks;
    this.#alive = alive;
    this.now = now;
  }

  /** From here on the transaction can do nothing. */
  end(): void {
    this.#over = true;
  }

  /** Throws when a statement is known to have failed, also when that was caught: what came before it is not to be kept alone. */
  check(): void {
    if (this.#failure !== null) throw this.#explained();
  }

  /** Waits for the answers to all that was sent; returns the first failure as the connection threw it, or null. */
  async failure(): Promise<{ readonly error: unknown } | null> {
    await Promise.all(this.#sent);
    return this.#failure;
  }

  async lock(ids: readonly string[], { wait }: { wait: boolean }): Promise<Locked> {
    return this.#do(async ({ signatures }) => {
      const wanted = [...new Set(ids)];
      if (wanted.length === 0) return { records: [], busy: [] };
      // One journey: each statement sees what those before it have waited for.
      const parents = above(wanted).filter((id) => !this.#above.has(id) || (!wait && !this.#locked.has(id)));
      const isTask = (id: string): boolean => this.#tasks.has(id);
      const closed = await this.#gates.toClose(wanted, isTask);
      const [, locked, read] = await Promise.all([
        this.#gates.toLock(wanted, closed),
        wait ? signatures.lock(wanted) : signatures.lockFree(wanted),
        parents.length === 0 ? [] : signatures.read(parents),
      ]);
      const changed = this.#changed(read);
      const records = this.#remembered(locked.filter((record) => !isTaskBelow(record, changed)));
      if (wait || records.length === wanted.length) return { records, busy: [] };
      const found = new Set(records.map(({ id }) => id));
      const busy = await signatures.existing(wanted.filter((id) => !found.has(id)));
      return { records, busy };
    });
  }

  async read(ids: readonly string[]): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => {
      const found = new Map<string, SignatureRecord>();
      const others: string[] = [];
      for (const id of new Set(ids)) {
        const record = this.#above.get(id);
        if (record === undefined) others.push(id);
        else found.set(id, record);
      }
      if (others.length === 0) return [...found.values()];
      const [, read] = await Promise.all([this.#gates.toRead(others), signatures.read(others)]);
      for (const record of read) {
        found.set(record.id, record);
        this.#above.set(record.id, record);
      }
      const missing = others.filter((id) => !found.has(id));
      await requireAbove(missing, this.#locked.values(), (below) => signatures.existing(below));
      return [...found.values()];
    });
  }

  async specs(refs: readonly SpecRef[]): Promise<SpecRow[]> {
    return this.#do(({ specs }) => specs.get(refs));
  }

  async byKey(key: string): Promise<SignatureRecord | null> {
    return this.#do(({ signatures }) => signatures.byKey(key));
  }

  async itemsByKey(parentId: string, keys: readonly string[]): Promise<SignatureRecord[]> {
    return this.#do(({ signatures }) => signatures.itemsByKey(parentId, keys));
  }

  async window(query: WindowQuery): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => this.#remembered(await signatures.window(query)));
  }

  async ready(demand: Demand): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => this.#passing(await signatures.ready(demand)));
  }

  async due(limit: number): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => this.#passing(await signatures.due(this.now, limit)));
  }

  async lapsed(limit: number): Promise<WorkerRow[]> {
    return this.#do(({ workers }) => workers.lapsed(this.now, limit));
  }

  async alive(workerId: string): Promise<boolean> {
    if (this.#alive.has(workerId)) return true;
    this.asked.push(workerId);
    return this.#do(async ({ workers }) => (await workers.alive([workerId])).has(workerId));
  }

  async heldByWorker(workerId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) =>
      this.#remembered(await signatures.heldByWorker(workerId, limit)),
    );
  }

  async owing(parentId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => this.#remembered(await signatures.owing(parentId, limit)));
  }

  async owed(limit: number): Promise<string[]> {
    return this.#do(({ signatures }) => signatures.owed(limit));
  }

  async sweeping(limit: number): Promise<string[]> {
    return this.#do(({ signatures }) => signatures.sweeping(limit));
  }

  async awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>> {
    return this.#do(({ waiting }) => waiting.awaited(ids));
  }

  async tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>> {
    return this.#do(({ pages }) => pages.tally(parentId, statuses));
  }

  async purgeable(limit: number): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => this.#remembered(await signatures.purgeable(this.now, limit)));
  }

  async underWayIn(rootId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => this.#remembered(await signatures.underWayIn(rootId, limit)));
  }

  async lastAudit(): Promise<AuditRow | null> {
    return this.#do(async ({ audit }) => {
      await onlyOne(this.#db, "audit");
      return audit.last();
    });
  }

  async lastStart(): Promise<number | null> {
    return this.#do(async ({ reports }) => {
      await onlyOne(this.#db, "starts");
      return reports.lastStart();
    });
  }

  async ticket(token: string): Promise<Ticket | null> {
    return this.#do(({ tickets }) => tickets.get(token, this.now));
  }

  async abandoned(before: number, limit: number): Promise<string[]> {
    return this.#do(({ drafts }) => drafts.abandoned(before, limit));
  }

  async discard(rootId: string, limit: number): Promise<boolean> {
    return this.#do(async ({ drafts }) => {
      this.hasWritten = true;
      return drafts.discard(rootId, limit);
    });
  }

  async write(changes: Changes): Promise<void> {
    return this.#do(async () => {
      if (isEmpty(changes)) return;
      this.hasWritten = true;
      await this.#write(changes);
    });
  }

  async #write(changes: Changes): Promise<void> {
    const { drafts, specs, journals, logs, notes, workers, tombstones, audit, tickets, reports, stamps } =
      this.#tables;
    const steps = changes.drafts ?? [];
    if (steps.length > 0) await drafts.prepare(steps, this.now);
    // What is stored may have a key that another root gives up here.
    await this.#update(changes.update ?? []);
    this.#insert(changes.insert ?? []);
    this.#send(specs.put(changes.specs ?? []));
    const lines = changes.logs ?? [];
    this.#send(
      journals.append(
        changes.journal ?? NOTHING,
        lines.map(({ rootId }) => rootId),
        this.now,
      ),
    );
    this.#send(logs.append(lines));
    this.#send(notes.put(changes));
    this.#send(workers.put(changes.workers ?? []));
    this.#send(tombstones.put(changes.tombstones ?? []));
    this.#send(audit.append(changes.audit ?? []));
    this.#send(tickets.put(changes.tickets ?? [], this.now));
    this.#send(reports.put(changes.reports ?? []));
    if (changes.stamp !== undefined) {
      this.stamp = changes.stamp;
      this.#send([stamps.put(changes.stamp, this.now)]);
    }
    this.#send(drafts.finish(steps));
    const condemned = steps.flatMap((step) => ("condemn" in step ? step.condemn : []));
    if (condemned.length > 0) await this.#condemn(condemned);
  }

  #insert(records: readonly SignatureRecord[]): void {
    if (records.length === 0) return;
    this.#send(insertRecords(this.#db, records));
    this.#remembered(records);
  }

  async #update(records: readonly SignatureRecord[]): Promise<void> {
    const unknown = records.flatMap(({ id }) => (this.#locked.has(id) ? [] : id));
    if (unknown.length > 0) this.#remembered(await this.#tables.signatures.lock([...new Set(unknown)]));
    const updates = records.map((now) => {
      const before = this.#locked.get(now.id);
      if (before === undefined) throw new Error(`there is no signature "${now.id}" to update`);
      this.#locked.set(now.id, now);
      return { before, now };
    });
    this.#send(updateRecords(this.#db, updates));
  }

  async #condemn(rootIds: readonly string[]): Promise<void> {
    const roots = this.#remembered(await this.#tables.signatures.lock([...new Set(rootIds)]));
    this.#send(dropTags(this.#db, roots));
    await this.#tables.drafts.condemn(rootIds);
  }

  #remembered<R extends readonly SignatureRecord[]>(records: R): R {
    for (const record of records) this.#locked.set(record.id, record);
    this.#tasks.add(records);
    return records;
  }

  /**
   * Without what is below something that is being given an order, or that has changed since this transaction read it: it is there again when
   * that is done.
   */
  async #passing(records: readonly SignatureRecord[]): Promise<SignatureRecord[]> {
    const parents = above(records.map(({ id }) => id));
    if (parents.length === 0) return [...this.#remembered(records)];
    const [isOpen, read] = await Promise.all([
      this.#gates.passable(parents),
      this.#tables.signatures.read(parents.filter((id) => !this.#locked.has(id))),
    ]);
    const changed = this.#changed(read.filter(({ id }) => isOpen(id) || this.#above.has(id)));
    const passes = (id: string): boolean => isOpen(id) && !changed.has(id);
    return [...this.#remembered(records.filter(({ id }) => above([id]).every(passes)))];
  }

  /** Which of these tell something else to what stands below them than when this transaction read them; the others are remembered. */
  #changed(read: readonly SignatureRecord[]): Set<string> {
    const changed = new Set<string>();
    for (const record of read) {
      const known = this.#above.get(record.id);
      if (known === undefined) this.#above.set(record.id, record);
      else if (!tellsAlike(known, record)) changed.add(record.id);
    }
    return changed;
  }

  #send(answers: readonly Promise<unknown>[]): void {
    for (const answer of answers) {
      this.#sent.push(
        answer.then(
          () => {},
          (error: unknown) => this.#fail(error),
        ),
      );
    }
  }

  /** Nothing is done after an error, whose followers only say that there was one. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
  }

  async #do<T>(work: (tables: Tables) => T | Promise<T>): Promise<T> {
    if (this.#over) throw new Error("the transaction is over: something it started was not awaited");
    this.check();
    try {
      return await work(this.#tables);
    } catch (error) {
      // What cannot be read has harmed nothing.
      if (error instanceof UnreadableError) throw error;
      // What was sent before it may be what failed.
      if (isLoss(error) || isServerError(error)) await Promise.all(this.#sent);
      this.#fail(error);
      throw this.#explained();
    }
  }

  #explained(): unknown {
    return explainInside(this.#failure!.error, this.#location);
  }
}

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>();

function isEmpty(changes: Changes): boolean {
  return Object.values(changes).every((part: unknown) =>
    Array.isArray(part) ? part.length === 0 : part instanceof Map ? part.size === 0 : part === undefined,
  );
}
