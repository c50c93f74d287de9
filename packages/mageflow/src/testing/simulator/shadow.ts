import type { Entry } from "../../core/event.ts";
import type { Spec } from "../../core/plan.ts";
import type { SignatureRecord } from "../../core/record.ts";
import type { Status } from "../../core/status.ts";
import type { AuditRow, Changes, Tombstone, WorkerRow } from "../../ports/store.ts";

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
  /** Roots of the trees that it took out of sight. */
  readonly condemned: readonly SignatureRecord[];
}

/** How a generation of a signature came to its end. */
export interface Ending {
  readonly status: Status;
  /** It had begun, or was itself what was stopped, so that it was cleaned up. */
  readonly reached: boolean;
}

/**
 * The committed state as the checker knows it, put together from the writes alone. It never asks the store, so that the
 * two can be compared at the end.
 */
export class Shadow {
  readonly records: Map<string, SignatureRecord> = new Map();
  /** What trees consisted of that were taken out of sight, as it was then. */
  readonly removed: Map<string, SignatureRecord> = new Map();
  readonly tombstones: Map<string, Tombstone> = new Map();
  readonly audit: AuditRow[] = [];
  /** By id and generation, as `id generation`. */
  readonly endings: Map<string, Ending> = new Map();
  readonly specs: Map<string, Spec> = new Map();
  /** Children and callbacks by parent. */
  readonly family: Map<string, string[]> = new Map();
  readonly journals: Map<string, Entry[]> = new Map();
  readonly workers: Map<string, WorkerRow> = new Map();
  /** The process behind each worker session. */
  readonly sessions: Map<string, string> = new Map();
  /** Finished steps, as `id origin name`. */
  readonly steps: Map<string, string> = new Map();
  readonly checkpoints: Map<string, string> = new Map();
  /** What users have asked to be resumed since it was suspended. */
  readonly resumed: Set<string> = new Set();
  commits = 0;

  apply(by: string, now: number, writes: readonly Changes[]): SeenCommit {
    this.commits++;
    const workersBefore = new Map(this.workers);
    const changed: { before: SignatureRecord | null; now: SignatureRecord }[] = [];
    const condemned: SignatureRecord[] = [];
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
        changed.push({ before: this.get(record.id) ?? null, now: record });
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
    for (const { before, now: after } of changed) this.#end(before, after);
    for (const { tombstones = [], audit = [], drafts = [] } of writes) {
      for (const tombstone of tombstones) this.tombstones.set(tombstone.id, tombstone);
      this.audit.push(...audit);
      for (const step of drafts) if ("condemn" in step) condemned.push(this.#remove(step.condemn));
    }
    return { by, now, changed, writes, workersBefore, condemned };
  }

  /** Notes the ends of generations; one that came and went within a commit was interrupted, and went on. */
  #end(before: SignatureRecord | null, now: SignatureRecord): void {
    const { id, status, generation } = now;
    const was = before?.generation ?? generation;
    for (let gone = was; gone < generation; gone++) {
      const key = `${id} ${gone}`;
      if (!this.endings.has(key)) this.endings.set(key, { status: "INTERRUPTED", reached: true });
    }
    if (!hasEnded(now) && status !== "INTERRUPTED") return;
    const { stop, attempt, startedAt } = now;
    const key = `${id} ${generation}`;
    // What was interrupted, and cancelled then, was cleaned up when it was interrupted.
    const earlier = this.endings.get(key);
    const reached =
      earlier?.reached === true ||
      status !== "CANCELLED" ||
      stop?.own === true ||
      attempt > 0 ||
      startedAt !== null;
    this.endings.set(key, { status, reached });
  }

  #remove(rootId: string): SignatureRecord {
    const root = this.get(rootId);
    for (const record of [...this.records.values()].filter((each) => each.rootId === rootId)) {
      this.records.delete(record.id);
      this.removed.set(record.id, record);
    }
    return root;
  }

  beat(workerId: string, leaseUntil: number): void {
    const row = this.workers.get(workerId);
    if (row !== undefined) this.workers.set(workerId, { ...row, leaseUntil });
  }

  spec(record: SignatureRecord): Spec {
    return this.specs.get(`${record.rootId} ${record.spec}`)!;
  }

  /** As it is, or as it was when it was removed. */
  get(id: string): SignatureRecord {
    return (this.records.get(id) ?? this.removed.get(id))!;
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

const ENDED: readonly Status[] = ["SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED"];

export function hasEnded({ status }: SignatureRecord): boolean {
  return ENDED.includes(status);
}

/** True when nothing of it is to come any more. */
export function isOver(record: SignatureRecord): boolean {
  return hasEnded(record) && record.milestone === 3 && record.stop === null;
}

/** True for a cleanup that its owner has registered while it ran: of all callbacks these alone were given something. */
export function isTwin({ role, message }: SignatureRecord): boolean {
  return role === "cleanup" && message !== null;
}

/** The generation of its owner that a callback belongs to. */
export function generationOf({ id, role, slot }: SignatureRecord): number {
  const text = id.slice(id.lastIndexOf(`.${role}${slot}`) + role.length + String(slot).length + 1);
  return text === "" ? 1 : Number(text.slice(1));
}

/** A container that begins again and whose children are still as they were: its counters are ahead of them. */
export function isAhead({ kind, origin, startedAt, sweep, status }: SignatureRecord): boolean {
  if (kind === "task" || origin === 1) return false;
  return sweep === "reset" || (startedAt === null && (!ENDED.includes(status) || status === "CANCELLED"));
}
