import { StoreError } from "../../core/errors.ts";
import type { FlowEvent } from "../../core/event.ts";
import type { SignatureRecord, SpecRow } from "../../core/record.ts";
import type { ResumeReport } from "../../core/resume-report.ts";
import type { Status } from "../../core/status.ts";
import type {
  AuditQuery,
  AuditRow,
  Tombstone,
  ChildQuery,
  Damage,
  ListQuery,
  LogQuery,
  LogRow,
  Notes,
  SpecRef,
  Store,
  Transaction,
  WorkerRow,
} from "../../ports/store.ts";
import { MemoryTransaction } from "./memory-transaction.ts";
import { Tables } from "./tables.ts";
import { Turns } from "../turns.ts";

const NOTHING: Notes = { steps: new Map(), checkpoint: null, progress: null };

/**
 * A store in the memory of this process: for tests and simulations, and the executable specification of the others. What
 * it holds is gone with the object; closing and opening it again loses nothing.
 *
 * Transactions run one after the other, in the order in which they were asked for. `now` is its only source of time.
 */
class MemoryStore implements Store {
  readonly name = "memory";
  readonly address = null;
  readonly #now: () => number;
  readonly #stored = new Tables();
  readonly #turns = new Turns();
  readonly #listeners = new Set<() => void>();
  #isOpen = false;

  constructor({ now = Date.now }: { now?: () => number } = {}) {
    this.#now = now;
  }

  async open(): Promise<void> {
    this.#isOpen = true;
  }

  /** Waits for the transactions that were asked for. */
  async close(): Promise<void> {
    const end = await this.#turns.next();
    this.#isOpen = false;
    end();
  }

  async transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const end = await this.#turns.next();
    try {
      const tx = new MemoryTransaction(this.#tables, this.#now());
      try {
        const answer = await work(tx);
        if (tx.commit()) this.#ring();
        return answer;
      } finally {
        tx.rollback();
      }
    } finally {
      end();
    }
  }

  async get(ids: readonly string[]): Promise<SignatureRecord[]> {
    return this.#tables.signatures.get(ids);
  }

  async byKey(key: string): Promise<SignatureRecord | null> {
    const tables = this.#tables;
    return tables.signatures.get(tables.idsByKey(null, [key]))[0] ?? null;
  }

  async specs(refs: readonly SpecRef[]): Promise<SpecRow[]> {
    const { specs, drafts } = this.#tables;
    return specs.get(refs.filter(({ rootId }) => !drafts.has(rootId)));
  }

  async children(query: ChildQuery): Promise<SignatureRecord[]> {
    return this.#tables.signatures.children(query);
  }

  async tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>> {
    return this.#tables.signatures.tally(parentId, statuses);
  }

  async list(query: ListQuery): Promise<SignatureRecord[]> {
    return this.#tables.signatures.list(query);
  }

  async scan({ after, limit }: { after: string | null; limit: number }): Promise<SignatureRecord[]> {
    return this.#tables.signatures.scan(after, limit);
  }

  async journal(query: { rootId: string; after: number; limit: number }): Promise<FlowEvent[]> {
    const { journals, drafts } = this.#tables;
    return drafts.has(query.rootId) ? [] : journals.read(query.rootId, query.after, query.limit);
  }

  async tombstone(rootId: string): Promise<Tombstone | null> {
    return this.#tables.tombstones.get(rootId) ?? null;
  }

  async audit({ order, after, limit }: AuditQuery): Promise<AuditRow[]> {
    const { audit } = this.#tables;
    // Rows are numbered from 1 without gaps.
    if (order === "oldest") return audit.slice(after ?? 0, (after ?? 0) + limit);
    const end = Math.min(audit.length, (after ?? Number.POSITIVE_INFINITY) - 1);
    return audit.slice(Math.max(0, end - limit), Math.max(0, end)).toReversed();
  }

  async reports({ after, limit }: { after: string | null; limit: number }): Promise<ResumeReport[]> {
    return this.#tables.reports.newest(after, limit);
  }

  async stops(limit: number): Promise<SignatureRecord[]> {
    return this.#tables.signatures.stops(limit);
  }

  async logCount(rootId: string, limit: number): Promise<number> {
    const { logs, drafts } = this.#tables;
    return drafts.has(rootId) ? 0 : logs.count(rootId, limit);
  }

  async lastSeq(rootId: string): Promise<number> {
    const { journals, drafts } = this.#tables;
    return drafts.has(rootId) ? 0 : journals.lastSeq(rootId);
  }

  async logs(query: LogQuery): Promise<LogRow[]> {
    const { logs, drafts } = this.#tables;
    return logs.read(query, (rootId) => !drafts.has(rootId));
  }

  async notes(id: string, generation: number): Promise<Notes> {
    const tables = this.#tables;
    return tables.hides(id) ? NOTHING : tables.notes.read(id, generation);
  }

  async stamped(by: string): Promise<number> {
    return this.#tables.stamps.get(by) ?? 0;
  }

  async readyNames(): Promise<Map<string, number>> {
    return this.#tables.signatures.readyNames();
  }

  async nextDue(): Promise<number | null> {
    return this.#tables.signatures.nextDue();
  }

  async strays(limit: number): Promise<string[]> {
    const { signatures, workers } = this.#tables;
    return signatures.strays((id) => workers.alive(id), limit);
  }

  async stalled(limit: number): Promise<string[]> {
    return this.#tables.signatures.stalled(limit);
  }

  async holders({ after, limit }: { after: string | null; limit: number }): Promise<string[]> {
    return this.#tables.signatures.holders(after, limit);
  }

  async unsettled({ after, limit }: { after: string | null; limit: number }): Promise<SignatureRecord[]> {
    return this.#tables.signatures.unsettled(after, limit);
  }

  async awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>> {
    return this.#tables.signatures.awaited(ids);
  }

  async workers(limit: number): Promise<WorkerRow[]> {
    return this.#tables.workers.newest(limit);
  }

  async damage(): Promise<Damage[]> {
    return [];
  }

  /** Takes its turn like a transaction: one that declares the worker dead is either before it or after it. */
  async heartbeat(workerId: string, lease: number): Promise<boolean> {
    const end = await this.#turns.next();
    try {
      return this.#tables.workers.extend(workerId, this.#now() + lease);
    } finally {
      end();
    }
  }

  watch(listener: () => void): () => void {
    // Wrapped, so that the same function can listen twice.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /** In a microtask of its own: what a listener throws is not the committer's error. */
  #ring(): void {
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener();
    });
  }

  get #tables(): Tables {
    if (this.#isOpen) return this.#stored;
    throw new StoreError("STORE_UNAVAILABLE", "the memory store is not open; call open() first");
  }
}

/** A new, empty store in memory. */
export function memoryStore(options: { now?: () => number } = {}): Store {
  return new MemoryStore(options);
}
