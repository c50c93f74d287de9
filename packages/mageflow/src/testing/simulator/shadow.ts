import type { Entry } from "../../core/event.ts";
import type { Spec } from "../../core/plan.ts";
import type { SignatureRecord } from "../../core/record.ts";
import type { Changes, WorkerRow } from "../../ports/store.ts";

/** What a commit changed, seen from outside: the records before and after, and the writes beside them. */
export interface SeenCommit {
  /** Who committed. */
  readonly by: string;
  /** The store's time. */
  readonly now: number;
  readonly changed: readonly { readonly before: SignatureRecord | null; readonly now: SignatureRecord }[];
  readonly writes: readonly Changes[];
  /** Worker sessions as they were before it. */
  readonly workersBefore: ReadonlyMap<string, WorkerRow>;
}

/**
 * The committed state as the checker knows it, put together from the writes alone. It never asks the store, so that the
 * two can be compared at the end.
 */
export class Shadow {
  readonly records: Map<string, SignatureRecord> = new Map();
  readonly specs: Map<string, Spec> = new Map();
  /** Children and callbacks by parent. */
  readonly family: Map<string, string[]> = new Map();
  readonly journals: Map<string, Entry[]> = new Map();
  readonly workers: Map<string, WorkerRow> = new Map();
  /** The process behind each worker session. */
  readonly sessions: Map<string, string> = new Map();
  /** Finished steps, as `id generation name`. */
  readonly steps: Map<string, string> = new Map();
  readonly checkpoints: Map<string, string> = new Map();
  /** What users have asked to be resumed since it was suspended. */
  readonly resumed: Set<string> = new Set();
  commits = 0;

  apply(by: string, now: number, writes: readonly Changes[]): SeenCommit {
    this.commits++;
    const workersBefore = new Map(this.workers);
    const changed: { before: SignatureRecord | null; now: SignatureRecord }[] = [];
    for (const { insert = [], update = [], specs = [], journal = new Map(), workers = [] } of writes) {
      for (const { rootId, id, body } of specs) this.specs.set(`${rootId} ${id}`, JSON.parse(body) as Spec);
      for (const record of insert) {
        changed.push({ before: this.records.get(record.id) ?? null, now: record });
        this.records.set(record.id, record);
        if (record.parentId !== null) {
          const family = this.family.get(record.parentId);
          if (family === undefined) this.family.set(record.parentId, [record.id]);
          else family.push(record.id);
        }
      }
      for (const record of update) {
        changed.push({ before: this.records.get(record.id) ?? null, now: record });
        this.records.set(record.id, record);
      }
      for (const [rootId, entries] of journal) {
        const told = this.journals.get(rootId);
        if (told === undefined) this.journals.set(rootId, [...entries]);
        else told.push(...entries);
      }
      for (const row of workers) {
        this.workers.set(row.id, row);
        if (!this.sessions.has(row.id)) this.sessions.set(row.id, by);
      }
    }
    for (const { steps = [], checkpoints = [] } of writes) {
      for (const { id, generation, name, result } of steps)
        this.steps.set(`${id} ${generation} ${name}`, result);
      for (const { id, generation, body } of checkpoints) this.checkpoints.set(`${id} ${generation}`, body);
    }
    return { by, now, changed, writes, workersBefore };
  }

  beat(workerId: string, leaseUntil: number): void {
    const row = this.workers.get(workerId);
    if (row !== undefined) this.workers.set(workerId, { ...row, leaseUntil });
  }

  spec(record: SignatureRecord): Spec {
    return this.specs.get(`${record.rootId} ${record.spec}`)!;
  }

  get(id: string): SignatureRecord {
    return this.records.get(id)!;
  }

  parent(record: SignatureRecord): SignatureRecord | null {
    return record.parentId === null ? null : this.get(record.parentId);
  }

  /** Steps or items. */
  children(id: string): SignatureRecord[] {
    return this.#family(id).filter(({ role }) => role === "step" || role === "item");
  }

  callbacks(id: string): SignatureRecord[] {
    return this.#family(id).filter(({ role }) => role !== "step" && role !== "item");
  }

  #family(id: string): SignatureRecord[] {
    return (this.family.get(id) ?? []).map((each) => this.get(each));
  }
}

export function hasEnded({ status }: SignatureRecord): boolean {
  return status === "SUCCEEDED" || status === "FAILED" || status === "SKIPPED" || status === "CANCELLED";
}
