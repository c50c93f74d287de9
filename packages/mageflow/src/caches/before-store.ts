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
  Store,
  StoreAddress,
  Tombstone,
  Transaction,
  WorkerRow,
} from "../ports/store.ts";

/** Something that stands before a store, and hands on what it does not do itself. */
export abstract class BeforeStore implements Store {
  abstract readonly name: string;
  /** The store itself. */
  readonly truth: Store;

  constructor(truth: Store) {
    this.truth = truth;
  }

  get address(): StoreAddress | null {
    return this.truth.address;
  }

  open(): Promise<void> {
    return this.truth.open();
  }

  close(): Promise<void> {
    return this.truth.close();
  }

  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.truth.transact(work);
  }

  get(ids: readonly string[]): Promise<SignatureRecord[]> {
    return this.truth.get(ids);
  }

  children(query: ChildQuery): Promise<SignatureRecord[]> {
    return this.truth.children(query);
  }

  tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>> {
    return this.truth.tally(parentId, statuses);
  }

  list(query: ListQuery): Promise<SignatureRecord[]> {
    return this.truth.list(query);
  }

  notes(id: string, generation: number): Promise<Notes> {
    return this.truth.notes(id, generation);
  }

  journal(query: { rootId: string; after: number; limit: number }): Promise<FlowEvent[]> {
    return this.truth.journal(query);
  }

  watch(listener: () => void): () => void {
    return this.truth.watch(listener);
  }

  byKey(key: string): Promise<SignatureRecord | null> {
    return this.truth.byKey(key);
  }

  specs(refs: readonly SpecRef[]): Promise<SpecRow[]> {
    return this.truth.specs(refs);
  }

  scan(query: { after: string | null; limit: number }): Promise<SignatureRecord[]> {
    return this.truth.scan(query);
  }

  tombstone(rootId: string): Promise<Tombstone | null> {
    return this.truth.tombstone(rootId);
  }

  audit(query: AuditQuery): Promise<AuditRow[]> {
    return this.truth.audit(query);
  }

  reports(query: { after: string | null; limit: number }): Promise<ResumeReport[]> {
    return this.truth.reports(query);
  }

  stops(limit: number): Promise<SignatureRecord[]> {
    return this.truth.stops(limit);
  }

  logCount(rootId: string, limit: number): Promise<number> {
    return this.truth.logCount(rootId, limit);
  }

  lastSeq(rootId: string): Promise<number> {
    return this.truth.lastSeq(rootId);
  }

  logs(query: LogQuery): Promise<LogRow[]> {
    return this.truth.logs(query);
  }

  stamped(by: string): Promise<number> {
    return this.truth.stamped(by);
  }

  readyNames(): Promise<Map<string, number>> {
    return this.truth.readyNames();
  }

  nextDue(): Promise<number | null> {
    return this.truth.nextDue();
  }

  strays(limit: number): Promise<string[]> {
    return this.truth.strays(limit);
  }

  stalled(limit: number): Promise<string[]> {
    return this.truth.stalled(limit);
  }

  holders(query: { after: string | null; limit: number }): Promise<string[]> {
    return this.truth.holders(query);
  }

  unsettled(query: { after: string | null; limit: number }): Promise<SignatureRecord[]> {
    return this.truth.unsettled(query);
  }

  awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>> {
    return this.truth.awaited(ids);
  }

  workers(limit: number): Promise<WorkerRow[]> {
    return this.truth.workers(limit);
  }

  damage(limit: number): Promise<Damage[]> {
    return this.truth.damage(limit);
  }

  heartbeat(workerId: string, lease: number): Promise<boolean> {
    return this.truth.heartbeat(workerId, lease);
  }
}
