import type { SignatureRecord, SpecRow } from "../../core/record.ts";
import type { AuditRow, Changes, Ticket, Tombstone } from "../../ports/store.ts";
import { ancestry } from "../ancestry.ts";
import { DraftTable } from "./draft-table.ts";
import { JournalTable } from "./journal-table.ts";
import { LogTable } from "./log-table.ts";
import { NoteTable } from "./note-table.ts";
import { ReportTable } from "./report-table.ts";
import { SignatureTable } from "./signature-table.ts";
import { SpecTable } from "./spec-table.ts";
import { WorkerTable } from "./worker-table.ts";

/** Everything that the store holds. `apply` and `discard` are the only ways to change it. */
export class Tables {
  readonly signatures: SignatureTable = new SignatureTable();
  readonly drafts: DraftTable = new DraftTable();
  readonly specs: SpecTable = new SpecTable();
  readonly journals: JournalTable = new JournalTable();
  readonly logs: LogTable = new LogTable();
  readonly notes: NoteTable = new NoteTable();
  readonly workers: WorkerTable = new WorkerTable();
  /** The number of the last commit of each process. */
  readonly stamps: Map<string, number> = new Map();
  /** By root. */
  readonly tombstones: Map<string, Tombstone> = new Map();
  readonly audit: AuditRow[] = [];
  readonly tickets: Map<string, Ticket> = new Map();
  readonly reports: ReportTable = new ReportTable();
  /** Ids by {@link keyOf}, those in drafts included. */
  readonly #keys = new Map<string, string>();

  /** True for a record that is stored, be it in a draft or on its way out. */
  holds(id: string): boolean {
    return this.signatures.has(id) || this.drafts.holds(id);
  }

  /** True for a record that somebody may change. */
  knows(id: string): boolean {
    return this.signatures.has(id) || this.drafts.records.has(id);
  }

  /** True for what belongs to a workflow that is being stored or removed. */
  hides(id: string): boolean {
    return ancestry(id).some((rootId) => this.drafts.has(rootId));
  }

  /** True when another record has this key. */
  holdsKey(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Keys that records have which have none any more as they are given here. */
  keysGivenUp(records: readonly SignatureRecord[]): Set<string> {
    const without = records.filter(({ key }) => key === null).map(({ id }) => id);
    return new Set(this.signatures.get(without).flatMap((record) => keyOf(record) ?? []));
  }

  /** Ids of the records that have one of these keys. */
  idsByKey(parentId: string | null, keys: readonly string[]): string[] {
    return keys.map((key) => this.#keys.get(keyIn(parentId, key))).filter((id) => id !== undefined);
  }

  /** Makes changes that were checked: it never stops halfway. */
  apply(changes: Changes, now: number): void {
    const drafts = changes.drafts ?? [];
    for (const step of drafts) if ("begin" in step) this.drafts.begin(step.begin, now);
    for (const key of this.keysGivenUp(changes.update ?? [])) this.#keys.delete(key);
    for (const record of changes.insert ?? []) this.#insert(record);
    for (const record of changes.update ?? []) this.#put(record);
    for (const row of changes.specs ?? []) this.specs.put(row);
    for (const [rootId, entries] of changes.journal ?? []) this.journals.append(rootId, entries, now);
    for (const line of changes.logs ?? []) this.logs.append(line);
    for (const { id, generation, name, result } of changes.steps ?? []) {
      this.notes.page(id, generation).steps.set(name, result);
    }
    for (const { id, generation, body } of changes.checkpoints ?? []) {
      this.notes.page(id, generation).checkpoint = body;
    }
    for (const { id, generation, progress } of changes.progress ?? []) {
      this.notes.page(id, generation).progress = progress;
    }
    for (const row of changes.workers ?? []) this.workers.put(row);
    for (const tombstone of changes.tombstones ?? []) this.tombstones.set(tombstone.id, tombstone);
    this.audit.push(...(changes.audit ?? []));
    for (const { token } of [...this.tickets.values()].filter(({ expiresAt }) => expiresAt <= now)) {
      this.tickets.delete(token);
    }
    for (const ticket of changes.tickets ?? []) this.tickets.set(ticket.token, ticket);
    for (const report of changes.reports ?? []) this.reports.put(report);
    if (changes.stamp !== undefined) this.stamps.set(changes.stamp.by, changes.stamp.n);
    for (const step of drafts) {
      if ("finish" in step) this.#finish(step.finish);
      if ("condemn" in step) this.#condemn(step.condemn);
    }
  }

  discard(rootId: string, limit: number): void {
    if (!this.drafts.has(rootId)) return;
    for (const record of this.drafts.discard(rootId, limit)) {
      const key = keyOf(record);
      if (key !== null) this.#keys.delete(key);
    }
    if (this.drafts.has(rootId)) return;
    this.notes.drop(rootId);
    this.specs.drop(rootId);
    this.journals.drop(rootId);
    this.logs.drop(rootId);
  }

  #insert(record: SignatureRecord): void {
    const key = keyOf(record);
    if (key !== null) this.#keys.set(key, record.id);
    this.#put(record);
  }

  #put(record: SignatureRecord): void {
    if (this.drafts.has(record.rootId)) this.drafts.put(record);
    else this.signatures.put(record);
  }

  #condemn(rootId: string): void {
    const records = this.signatures.workflow(rootId);
    for (const { id } of records) this.signatures.delete(id);
    this.drafts.condemn(
      rootId,
      records.map((record) => (record.id === rootId ? this.#withoutKey(record) : record)),
    );
  }

  /** Its key is free for the next. */
  #withoutKey(record: SignatureRecord): SignatureRecord {
    const key = keyOf(record);
    if (key !== null) this.#keys.delete(key);
    return { ...record, key: null };
  }

  #finish(rootId: string): void {
    for (const record of this.drafts.finish(rootId)) this.signatures.put(record);
  }
}

/** What must be unique: the idempotency key of a root, an item's key within its swarm. */
export function keyOf({ parentId, key }: SignatureRecord): string | null {
  return key === null ? null : keyIn(parentId, key);
}

/** A spec as one text. */
export function specKey({ rootId, id }: SpecRow): string {
  return JSON.stringify([rootId, id]);
}

function keyIn(parentId: string | null, key: string): string {
  return JSON.stringify([parentId, key]);
}
