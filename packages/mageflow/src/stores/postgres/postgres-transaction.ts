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
import { advisoryLock } from "./advisory-locks.ts";
import type { Connection } from "./connection.ts";
import { explainInside } from "./failures.ts";
import { insertRecords } from "./insert-records.ts";
import type { Location } from "./location.ts";
import { dropTags } from "./root-tags.ts";
import { Tables } from "./tables.ts";
import { updateRecords } from "./update-records.ts";

/**
 * One transaction between `BEGIN` and its end. Each statement sees what was committed before it, and what it locks is as it is now.
 * Writes are sent without waiting for their answers, so that they and the commit are one journey; what fails is told by the commit, or
 * by the next statement.
 */
export class PostgresTransaction implements Transaction {
  readonly now: number;
  /** What the transaction is to be known by when it has committed. */
  stamp: Stamp | null = null;
  /** Whether there is anything for others to hear of. */
  hasWritten = false;
  readonly #db: Connection;
  readonly #tables: Tables;
  readonly #location: Location;
  /** What is locked, as it is in the database: an update writes the difference. */
  readonly #locked = new Map<string, SignatureRecord>();
  /** Answers to writes that have been sent. */
  readonly #sent: Promise<void>[] = [];
  /** The first error of a statement: the server does nothing after it. */
  #failure: { readonly error: unknown } | null = null;
  #over = false;

  constructor(db: Connection, location: Location, now: number) {
    this.#db = db;
    this.#tables = new Tables(db);
    this.#location = location;
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
      const records = this.#remembered(await (wait ? signatures.lock(wanted) : signatures.lockFree(wanted)));
      if (wait || records.length === wanted.length) return { records, busy: [] };
      const found = new Set(records.map(({ id }) => id));
      const busy = await signatures.existing(wanted.filter((id) => !found.has(id)));
      return { records, busy };
    });
  }

  async read(ids: readonly string[]): Promise<SignatureRecord[]> {
    if (ids.length === 0) return [];
    return this.#do(({ signatures }) => signatures.read([...new Set(ids)]));
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
    return this.#do(async ({ signatures }) => this.#remembered(await signatures.ready(demand)));
  }

  async due(limit: number): Promise<SignatureRecord[]> {
    return this.#do(async ({ signatures }) => this.#remembered(await signatures.due(this.now, limit)));
  }

  async lapsed(limit: number): Promise<WorkerRow[]> {
    return this.#do(({ workers }) => workers.lapsed(this.now, limit));
  }

  async alive(workerId: string): Promise<boolean> {
    return this.#do(({ workers }) => workers.alive(workerId));
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
      await this.#db.exec(advisoryLock(this.#location, "audit"));
      return audit.last();
    });
  }

  async lastStart(): Promise<number | null> {
    return this.#do(async ({ reports }) => {
      await this.#db.exec(advisoryLock(this.#location, "starts"));
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
    this.hasWritten = true;
    return this.#do(({ drafts }) => drafts.discard(rootId, limit));
  }

  async write(changes: Changes): Promise<void> {
    this.hasWritten = true;
    return this.#do(() => this.#write(changes));
  }

  async #write(changes: Changes): Promise<void> {
    const { drafts, specs, journals, logs, notes, workers, tombstones, audit, tickets, reports } =
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
    if (changes.stamp !== undefined) this.stamp = changes.stamp;
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
    return records;
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
      // What was sent before it may be what failed.
      await Promise.all(this.#sent);
      this.#fail(error);
      throw this.#explained();
    }
  }

  #explained(): unknown {
    return explainInside(this.#failure!.error, this.#location);
  }
}

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>();
