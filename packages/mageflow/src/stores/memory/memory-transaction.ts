import type { Demand } from "../../core/choose.ts";
import type { SignatureRecord, SpecRow } from "../../core/record.ts";
import type { Status } from "../../core/status.ts";
import type {
  AuditRow,
  Changes,
  DraftStep,
  Locked,
  SpecRef,
  Ticket,
  Transaction,
  WindowQuery,
  WorkerRow,
} from "../../ports/store.ts";
import type { SignatureTable } from "./signature-table.ts";
import { keyOf, specKey, type Tables } from "./tables.ts";

/**
 * One transaction. It runs alone, so that every lock is free, and reads what was committed before it: its own changes are
 * checked as they are written, and made by {@link MemoryTransaction.commit}.
 */
export class MemoryTransaction implements Transaction {
  readonly now: number;
  readonly #tables: Tables;
  readonly #changes: (() => void)[] = [];
  /** Ids, keys and specs that this transaction inserts, drafts that it begins and finishes. */
  readonly #taken = new Set<string>();
  readonly #discarded = new Map<string, number>();
  /** Like a database, a transaction does not outlive a violated constraint. */
  #violation: Error | null = null;
  #over = false;

  constructor(tables: Tables, now: number) {
    this.#tables = tables;
    this.now = now;
  }

  /** Makes all changes at once. Returns whether there were any. */
  commit(): boolean {
    this.#over = true;
    if (this.#violation !== null) throw this.#violation;
    for (const change of this.#changes) change();
    return this.#changes.length > 0;
  }

  /** From here on the transaction can do nothing. */
  rollback(): void {
    this.#over = true;
  }

  async lock(ids: readonly string[], _options: { wait: boolean }): Promise<Locked> {
    return { records: this.#also((records) => records.get(ids.toSorted())), busy: [] };
  }

  async read(ids: readonly string[]): Promise<SignatureRecord[]> {
    return this.#also((records) => records.get(ids));
  }

  async specs(refs: readonly SpecRef[]): Promise<SpecRow[]> {
    const { specs, drafts } = this.#read();
    return specs.get(refs.filter(({ rootId }) => !drafts.isLeaving(rootId)));
  }

  async byKey(key: string): Promise<SignatureRecord | null> {
    const tables = this.#read();
    return tables.signatures.get(tables.idsByKey(null, [key]))[0] ?? null;
  }

  async itemsByKey(parentId: string, keys: readonly string[]): Promise<SignatureRecord[]> {
    const ids = this.#read().idsByKey(parentId, keys);
    return this.#also((records) => records.get(ids));
  }

  async window(query: WindowQuery): Promise<SignatureRecord[]> {
    return this.#also((records) => records.window(query)).slice(0, query.limit);
  }

  async ready(demand: Demand): Promise<SignatureRecord[]> {
    return this.#read().signatures.ready(demand);
  }

  async due(limit: number): Promise<SignatureRecord[]> {
    return this.#read().signatures.due(this.now, limit);
  }

  async lapsed(limit: number): Promise<WorkerRow[]> {
    return this.#read().workers.lapsed(this.now, limit);
  }

  async alive(workerId: string): Promise<boolean> {
    return this.#read().workers.alive(workerId);
  }

  async heldByWorker(workerId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#read().signatures.heldByWorker(workerId, limit);
  }

  async owing(parentId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#also((records) => records.owing(parentId, limit)).slice(0, limit);
  }

  async owed(limit: number): Promise<string[]> {
    return this.#read().signatures.owed(limit);
  }

  async sweeping(limit: number): Promise<string[]> {
    return this.#read().signatures.sweeping(limit);
  }

  async awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>> {
    return this.#read().signatures.awaited(ids);
  }

  async tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>> {
    return this.#read().signatures.tally(parentId, statuses);
  }

  async purgeable(limit: number): Promise<SignatureRecord[]> {
    return this.#read().signatures.purgeable(this.now, limit);
  }

  async underWayIn(rootId: string, limit: number): Promise<SignatureRecord[]> {
    return this.#read().signatures.underWayIn(rootId, limit);
  }

  async lastAudit(): Promise<AuditRow | null> {
    return this.#read().audit.at(-1) ?? null;
  }

  async lastStart(): Promise<number | null> {
    return this.#read().reports.lastStart();
  }

  async ticket(token: string): Promise<Ticket | null> {
    const ticket = this.#read().tickets.get(token);
    return ticket === undefined || ticket.expiresAt <= this.now ? null : ticket;
  }

  async abandoned(before: number, limit: number): Promise<string[]> {
    return this.#read().drafts.abandoned(before, limit);
  }

  async discard(rootId: string, limit: number): Promise<boolean> {
    const tables = this.#read();
    if (!tables.drafts.has(rootId)) return true;
    const discarded = (this.#discarded.get(rootId) ?? 0) + limit;
    this.#discarded.set(rootId, discarded);
    this.#changes.push(() => tables.discard(rootId, limit));
    return discarded >= tables.drafts.size(rootId);
  }

  async write(changes: Changes): Promise<void> {
    const tables = this.#read();
    try {
      this.#check(changes);
    } catch (error) {
      this.#violation = error as Error;
      throw error;
    }
    if (isEmpty(changes)) return;
    this.#changes.push(() => tables.apply(changes, this.now));
  }

  #read(): Tables {
    if (this.#over) throw new Error("the transaction is over: something it started was not awaited");
    return this.#tables;
  }

  /** What is read by id or by parent, drafts included: whoever finishes one starts what is in it. */
  #also(read: (records: SignatureTable) => SignatureRecord[]): SignatureRecord[] {
    const { signatures, drafts } = this.#read();
    return [...read(signatures), ...read(drafts.records)];
  }

  #check({ insert = [], update = [], specs = [], drafts = [], audit = [], tickets = [] }: Changes): void {
    const tables = this.#tables;
    for (const step of drafts) this.#checkDraft(step);
    const freed = tables.keysGivenUp(update);
    for (const record of insert) {
      if (tables.holds(record.id)) throw violation("id", record.id);
      this.#take("id", record.id);
      const key = keyOf(record);
      if (key === null) continue;
      if (tables.holdsKey(key) && !freed.has(key)) throw violation("key", key);
      this.#take("key", key);
    }
    for (const row of specs) {
      if (tables.specs.has(row)) throw violation("spec", specKey(row));
      this.#take("spec", specKey(row));
    }
    for (const { id } of update) {
      const known = tables.knows(id) || this.#taken.has(`id ${id}`);
      if (!known) throw new Error(`there is no signature "${id}" to update`);
    }
    for (const { seq } of audit) {
      if (seq <= tables.audit.length) throw violation("audit row", String(seq));
      this.#take("audit row", String(seq));
    }
    for (const { token } of tickets) {
      const { expiresAt } = tables.tickets.get(token) ?? { expiresAt: 0 };
      if (expiresAt > this.now) throw violation("ticket", token);
      this.#take("ticket", token);
    }
  }

  #checkDraft(step: DraftStep): void {
    const { drafts, signatures } = this.#tables;
    if ("begin" in step) {
      if (drafts.has(step.begin) || signatures.has(step.begin)) throw violation("draft", step.begin);
      this.#take("draft", step.begin);
      return;
    }
    if ("condemn" in step) {
      if (!signatures.has(step.condemn)) throw new Error(`there is no workflow "${step.condemn}" to condemn`);
      return;
    }
    const rootId = "add" in step ? step.add : step.finish;
    if (!drafts.takes(rootId) && !this.#taken.has(`draft ${rootId}`)) {
      throw new Error(`there is no draft "${rootId}": it was discarded or never begun`);
    }
    if ("finish" in step) this.#take("finish", rootId);
  }

  #take(what: string, value: string): void {
    const taken = `${what} ${value}`;
    if (this.#taken.has(taken)) throw violation(what, value);
    this.#taken.add(taken);
  }
}

function violation(what: string, value: string): Error {
  return new Error(`constraint: the ${what} ${value} is taken`);
}

function isEmpty(changes: Changes): boolean {
  return Object.values(changes).every((part: unknown) =>
    Array.isArray(part) ? part.length === 0 : part instanceof Map ? part.size === 0 : part === undefined,
  );
}
