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
import { unlessUnreadable } from "../readable.ts";
import type { Connection } from "./connection.ts";
import type { Database } from "./database.ts";
import { explain } from "./failures.ts";
import { insertRecords } from "./insert-records.ts";
import type { Location } from "./location.ts";
import type { RecordCache, Stored } from "./record-cache.ts";
import { readablePage, readableRows } from "./readable.ts";
import { toRecord } from "../signature-row.ts";
import { type Row, SEQ } from "./row.ts";
import { replaceTags } from "./root-tags.ts";
import type { Tables } from "./tables.ts";
import { updateRecords } from "./update-records.ts";

/**
 * One transaction between `BEGIN IMMEDIATE` and its end. SQLite lets one write at a time, so that whatever is read here is
 * locked and no lock is ever busy.
 */
export class SqliteTransaction implements Transaction {
  readonly now: number;
  /** What the transaction is to be known by when it has committed. */
  stamp: Stamp | null = null;
  readonly #db: Connection;
  readonly #tables: Tables;
  readonly #cache: RecordCache;
  readonly #location: Location;
  /** What was read or written, as it is in the database: an update writes the difference. */
  readonly #stored = new Map<string, Stored>();
  /** The first error of a statement. SQLite may have ended the transaction at it, so nothing is done after it. */
  #failure: { readonly error: unknown } | null = null;
  #discarded = false;
  #over = false;

  constructor(database: Database, now: number) {
    this.#db = database.writer;
    this.#tables = database.written;
    this.#cache = database.cache;
    this.#location = database.location;
    this.now = now;
  }

  /** After the commit: what this transaction knows is so. */
  remember(): void {
    if (this.#discarded) this.#cache.clear();
    else this.#cache.commit(this.#stored);
  }

  /** From here on the transaction can do nothing. */
  end(): void {
    this.#over = true;
  }

  /** Throws when a statement has failed, also when that was caught: what came before it is not to be kept alone. */
  check(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  async lock(ids: readonly string[], _options: { wait: boolean }): Promise<Locked> {
    return this.#do(() => ({ records: this.#get(ids.toSorted()), busy: [] }));
  }

  async read(ids: readonly string[]): Promise<SignatureRecord[]> {
    return this.#do(() => this.#readable(ids));
  }

  async specs(refs: readonly SpecRef[]): Promise<SpecRow[]> {
    return this.#do(() => this.#tables.specs.get(refs));
  }

  async byKey(key: string): Promise<SignatureRecord | null> {
    return this.#do(() => {
      const row = this.#tables.signatures.byKey(key);
      return row === undefined ? null : this.#record(row);
    });
  }

  async itemsByKey(parentId: string, keys: readonly string[]): Promise<SignatureRecord[]> {
    return this.#do(() =>
      readableRows(this.#tables.signatures.itemsByKey(parentId, keys)).map(this.#remembered),
    );
  }

  async window({ id, what, limit, until }: WindowQuery): Promise<SignatureRecord[]> {
    return this.#do(() => {
      const { signatures } = this.#tables;
      switch (what) {
        case "start":
          return signatures.startable(id, limit).map(this.#remembered);
        case "unhold":
          return this.#page(limit, (most) => signatures.held(id, most));
        case "clean":
          return this.#page(limit, (most) => signatures.heldCleanups(id, most));
        case "hasten":
          return this.#page(limit, (most) => signatures.stopping(id, until!, most));
        default:
          return this.#page(limit, (most) => signatures.swept(id, what, most));
      }
    });
  }

  async ready(demand: Demand): Promise<SignatureRecord[]> {
    const { signatures } = this.#tables;
    return this.#do(() => this.#page(demand.slots, (most) => signatures.ready(demand, most - demand.slots)));
  }

  async due(limit: number): Promise<SignatureRecord[]> {
    return this.#do(() => this.#page(limit, (most) => this.#tables.signatures.due(this.now, most)));
  }

  async lapsed(limit: number): Promise<WorkerRow[]> {
    return this.#do(() => this.#tables.workers.lapsed(this.now, limit));
  }

  async alive(workerId: string): Promise<boolean> {
    return this.#do(() => this.#tables.workers.alive(workerId));
  }

  async heldByWorker(workerId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#do(() => this.#page(limit, (most) => this.#tables.signatures.heldByWorker(workerId, most)));
  }

  async owing(parentId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#do(() => this.#page(limit, (most) => this.#tables.signatures.owing(parentId, most)));
  }

  async owed(limit: number): Promise<string[]> {
    return this.#do(() => this.#tables.signatures.owed(limit));
  }

  async sweeping(limit: number): Promise<string[]> {
    return this.#do(() => this.#tables.signatures.sweeping(limit));
  }

  async awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>> {
    return this.#do(() => this.#tables.waiting.awaited(ids));
  }

  async tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>> {
    return this.#do(() => this.#tables.pages.tally(parentId, statuses));
  }

  async purgeable(limit: number): Promise<SignatureRecord[]> {
    return this.#do(() => this.#page(limit, (most) => this.#tables.signatures.purgeable(this.now, most)));
  }

  async underWayIn(rootId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#do(() => this.#page(limit, (most) => this.#tables.signatures.underWayIn(rootId, most)));
  }

  async lastAudit(): Promise<AuditRow | null> {
    return this.#do(() => this.#tables.audit.last());
  }

  async lastStart(): Promise<number | null> {
    return this.#do(() => this.#tables.reports.lastStart());
  }

  async ticket(token: string): Promise<Ticket | null> {
    return this.#do(() => this.#tables.tickets.get(token, this.now));
  }

  async abandoned(before: number, limit: number): Promise<string[]> {
    return this.#do(() => this.#tables.drafts.abandoned(before, limit));
  }

  async discard(rootId: string, limit: number): Promise<boolean> {
    return this.#do(() => {
      this.#discarded = true;
      return this.#tables.drafts.discard(rootId, limit);
    });
  }

  /** False when there is no such session, or it has ended. */
  async extend(workerId: string, lease: number): Promise<boolean> {
    return this.#do(() => this.#tables.workers.extend(workerId, this.now + lease));
  }

  async write(changes: Changes): Promise<void> {
    this.#do(() => this.#write(changes));
  }

  #write(changes: Changes): void {
    const { drafts, specs, journals, logs, notes, workers } = this.#tables;
    for (const step of changes.drafts ?? []) {
      if ("begin" in step) drafts.begin(step.begin, this.now);
      else if ("add" in step) drafts.add(step.add);
    }
    // What is stored may have a key that another root gives up here.
    if (changes.update !== undefined) this.#update(changes.update);
    if (changes.insert !== undefined) this.#insert(changes.insert, (changes.drafts ?? []).length === 0);
    for (const row of changes.specs ?? []) specs.put(row);
    for (const [rootId, entries] of changes.journal ?? []) journals.append(rootId, entries, this.now);
    for (const line of changes.logs ?? []) logs.append(line);
    notes.put(changes);
    for (const row of changes.workers ?? []) workers.put(row);
    if (changes.stamp !== undefined) this.stamp = changes.stamp;
    for (const row of changes.tombstones ?? []) this.#tables.tombstones.put(row);
    for (const row of changes.audit ?? []) this.#tables.audit.append(row);
    if (changes.tickets !== undefined) this.#tables.tickets.put(changes.tickets, this.now);
    for (const report of changes.reports ?? []) this.#tables.reports.put(report);
    for (const step of changes.drafts ?? []) {
      if ("finish" in step) drafts.finish(step.finish);
      if ("condemn" in step) this.#condemn(step.condemn);
    }
  }

  /** What is still being stored is not asked for soon. */
  #insert(records: readonly SignatureRecord[], soonRead: boolean): void {
    const inserted = insertRecords(this.#db, records);
    if (soonRead) for (const stored of inserted) this.#remembered(stored);
  }

  /** What the cache knows of the tree is not so any more. */
  #condemn(rootId: string): void {
    this.#discarded = true;
    const root = this.#storedOf(rootId).record;
    replaceTags(this.#db, root, { ...root, tags: [] });
    this.#tables.drafts.condemn(rootId);
  }

  #update(records: readonly SignatureRecord[]): void {
    const updates = records.map((now) => {
      const stored = this.#storedOf(now.id);
      this.#stored.set(now.id, { seq: stored.seq, record: now });
      return { stored, now };
    });
    updateRecords(this.#db, updates);
  }

  #storedOf(id: string): Stored {
    const stored = this.#find(id);
    if (stored === undefined) throw new Error(`there is no signature "${id}" to update`);
    return stored;
  }

  #get(ids: readonly string[]): SignatureRecord[] {
    const records: SignatureRecord[] = [];
    for (const id of new Set(ids)) {
      const stored = this.#find(id);
      if (stored !== undefined) records.push(stored.record);
    }
    return records;
  }

  #find(id: string): Stored | undefined {
    let stored = this.#stored.get(id) ?? this.#cache.get(id);
    if (stored === undefined) {
      const row = this.#tables.signatures.byId(id);
      if (row === undefined) return undefined;
      stored = { seq: row[SEQ], record: toRecord(row) };
    }
    this.#stored.set(id, stored);
    return stored;
  }

  #readable(ids: readonly string[]): SignatureRecord[] {
    const found = [...new Set(ids)].flatMap((id) => unlessUnreadable(() => this.#find(id)) ?? []);
    return found.map(({ record }) => record);
  }

  /** What can be read of a page. */
  #page(limit: number, rows: (limit: number) => readonly Row[]): SignatureRecord[] {
    return readablePage(limit, rows).map(this.#remembered);
  }

  #record(row: Row): SignatureRecord {
    return this.#remembered({ seq: row[SEQ], record: toRecord(row) });
  }

  readonly #remembered = (stored: Stored): SignatureRecord => {
    this.#stored.set(stored.record.id, stored);
    return stored.record;
  };

  #do<T>(work: () => T): T {
    if (this.#over) throw new Error("the transaction is over: something it started was not awaited");
    if (this.#failure !== null) throw this.#failure.error;
    try {
      return work();
    } catch (thrown) {
      const error = explain(thrown, this.#location);
      this.#failure = { error };
      throw error;
    }
  }
}
