import { byTurn, choose, type Demand } from "../../core/choose.ts";
import { isCallback } from "../../core/ids.ts";
import { MILESTONE, type SignatureRecord } from "../../core/record.ts";
import { isEnded, type Status, STATUSES } from "../../core/status.ts";
import { belongs } from "../../core/sweep.ts";
import type { ChildQuery, ListQuery, WindowQuery } from "../../ports/store.ts";
import { RecordIndex } from "./record-index.ts";
import {
  byId,
  byPriorityAndSlot,
  bySlot,
  byText,
  dueInstant,
  newestFirst,
  soonestDue,
} from "./record-order.ts";

/** The name of the one group of an index that has no groups. */
const ALL = "";

const OPEN = STATUSES.filter((status) => !isEnded(status));

/** Ready tasks are counted no further. */
const COUNTED = 1_000;

/** Records, with an index for every question that is asked of them. */
export class SignatureTable {
  readonly #records = new Map<string, SignatureRecord>();
  readonly #ids = new RecordIndex(() => ALL, byId);
  readonly #newest = new RecordIndex(() => ALL, newestFirst);
  readonly #newestRoots = new RecordIndex((record) => (record.role === "root" ? ALL : null), newestFirst);
  readonly #newestMarked = new RecordIndex((record) => (record.deletion === null ? null : ALL), newestFirst);
  readonly #newestOfRoot = new RecordIndex((record) => record.rootId, newestFirst);
  readonly #children = new RecordIndex(
    (record) => (isCallback(record.role) ? null : record.parentId),
    bySlot,
  );
  readonly #childrenByStatus = new RecordIndex(
    (record) =>
      isCallback(record.role) || record.parentId === null ? null : childrenIn(record.parentId, record.status),
    bySlot,
  );
  readonly #callbacks = new RecordIndex((record) => (isCallback(record.role) ? record.parentId : null), byId);
  readonly #startable = new RecordIndex(
    (record) =>
      record.status === "PENDING" && record.heldBy === null && !isCallback(record.role)
        ? record.parentId
        : null,
    byPriorityAndSlot,
  );
  readonly #held = new RecordIndex((record) => record.heldBy, byId);
  readonly #heldChildren = new RecordIndex(
    (record) =>
      record.status === "PENDING" && record.heldBy !== null && !isCallback(record.role)
        ? record.parentId
        : null,
    bySlot,
  );
  readonly #ready = new RecordIndex((record) => (record.status === "READY" ? record.name : null), byTurn);
  readonly #due = new RecordIndex((record) => (dueInstant(record) === null ? null : ALL), soonestDue);
  readonly #running = new RecordIndex(
    (record) => (record.status === "RUNNING" ? record.workerId : null),
    byId,
  );
  readonly #stops = new RecordIndex(
    (record) => (record.status === "RUNNING" && record.stop !== null ? ALL : null),
    (a, b) => a.stop!.until - b.stop!.until || byId(a, b),
  );
  readonly #purges = new RecordIndex(
    (record) => (record.deletion === null ? null : ALL),
    (a, b) => a.deletion!.purgeAt - b.deletion!.purgeAt || byId(a, b),
  );
  readonly #owing = new RecordIndex(
    (record) => (record.milestone > record.credited ? record.parentId : null),
    byId,
  );
  readonly #unsettled = new RecordIndex((record) => (isUnsettled(record) ? ALL : null), byId);
  readonly #stalled = new RecordIndex((record) => (isStalled(record) ? ALL : null), byId);
  readonly #sweeping = new RecordIndex((record) => (record.sweep === null ? null : ALL), byId);
  readonly #indexes: readonly RecordIndex[] = [
    this.#ids,
    this.#newest,
    this.#newestRoots,
    this.#newestMarked,
    this.#newestOfRoot,
    this.#children,
    this.#childrenByStatus,
    this.#callbacks,
    this.#startable,
    this.#held,
    this.#heldChildren,
    this.#ready,
    this.#due,
    this.#running,
    this.#stops,
    this.#purges,
    this.#owing,
    this.#unsettled,
    this.#stalled,
    this.#sweeping,
  ];

  has(id: string): boolean {
    return this.#records.has(id);
  }

  put(record: SignatureRecord): void {
    const before = this.#records.get(record.id) ?? null;
    this.#records.set(record.id, record);
    for (const index of this.#indexes) index.put(before, record);
  }

  delete(id: string): void {
    const before = this.#records.get(id)!;
    this.#records.delete(id);
    for (const index of this.#indexes) index.put(before, null);
  }

  get(ids: Iterable<string>): SignatureRecord[] {
    const found: SignatureRecord[] = [];
    for (const id of new Set(ids)) {
      const record = this.#records.get(id);
      if (record !== undefined) found.push(record);
    }
    return found;
  }

  children({ parentId, of, statuses, after, limit }: ChildQuery): SignatureRecord[] {
    if (of === "callbacks") {
      return this.#callbacks
        .group(parentId)
        .from((record) => after !== null && record.id <= String(after))
        .filter((record) => statuses?.includes(record.status) ?? true)
        .take(limit)
        .toArray();
    }
    const seen = (record: SignatureRecord): boolean => after !== null && record.slot <= Number(after);
    if (statuses === undefined) return this.#children.group(parentId).from(seen).take(limit).toArray();
    const pages = [...new Set(statuses)].flatMap((status) =>
      this.#childrenByStatus.group(childrenIn(parentId, status)).from(seen).take(limit).toArray(),
    );
    return pages.sort(bySlot).slice(0, limit);
  }

  tally(parentId: string, statuses: readonly Status[]): Map<Status, number> {
    const counts = new Map<Status, number>();
    for (const status of statuses) {
      const { size } = this.#childrenByStatus.group(childrenIn(parentId, status));
      if (size > 0) counts.set(status, size);
    }
    return counts;
  }

  list(query: ListQuery): SignatureRecord[] {
    const { after, limit } = query;
    return this.#listed(query)
      .from(
        (record) =>
          after !== null &&
          (record.createdAt > after.createdAt ||
            (record.createdAt === after.createdAt && record.id >= after.id)),
      )
      .filter((record) => this.#fits(record, query))
      .take(limit)
      .toArray();
  }

  scan(after: string | null, limit: number): SignatureRecord[] {
    return this.#ids
      .group(ALL)
      .from((record) => after !== null && record.id <= after)
      .take(limit)
      .toArray();
  }

  window(query: WindowQuery): SignatureRecord[] {
    const { id, what, limit } = query;
    switch (what) {
      case "start":
        return this.#startable.group(id)[Symbol.iterator]().take(limit).toArray();
      case "unhold":
        return this.#held.group(id)[Symbol.iterator]().take(limit).toArray();
      case "clean":
        return among(this.#held.group(id), query);
      case "hasten":
        return among(this.#stops.group(ALL), query);
      default:
        return this.#swept(query);
    }
  }

  /** What no index is for is found status by status. */
  #swept(query: WindowQuery): SignatureRecord[] {
    return STATUSES.flatMap((status) =>
      among(this.#childrenByStatus.group(childrenIn(query.id, status)), query),
    )
      .sort(bySlot)
      .slice(0, query.limit);
  }

  ready(demand: Demand): SignatureRecord[] {
    const candidates: SignatureRecord[] = [];
    for (const [name, slots] of demand.tasks) {
      const room = Math.min(slots, demand.slots);
      for (const candidate of this.#ready.group(name)[Symbol.iterator]().take(room))
        candidates.push(candidate);
    }
    return choose(candidates, demand);
  }

  readyNames(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const [name, { size }] of this.#ready.groups()) counts.set(name, Math.min(size, COUNTED));
    return counts;
  }

  due(now: number, limit: number): SignatureRecord[] {
    const due: SignatureRecord[] = [];
    for (const record of this.#due.group(ALL)) {
      if (due.length === limit || dueInstant(record)! > now) break;
      due.push(record);
    }
    return due;
  }

  stops(limit: number): SignatureRecord[] {
    return this.#stops.group(ALL)[Symbol.iterator]().take(limit).toArray();
  }

  purgeable(now: number, limit: number): SignatureRecord[] {
    return this.#purges
      .group(ALL)
      [Symbol.iterator]()
      .filter(({ deletion }) => deletion!.purgeAt <= now)
      .take(limit)
      .toArray();
  }

  underWayIn(rootId: string, limit: number): SignatureRecord[] {
    return this.#newestOfRoot
      .group(rootId)
      [Symbol.iterator]()
      .filter(
        ({ id, kind, status, stop }) =>
          (kind === "task" && status === "RUNNING") ||
          (id !== rootId && status === "INTERRUPTED" && !stop!.done),
      )
      .take(limit)
      .toArray();
  }

  /** Everything of a workflow. */
  workflow(rootId: string): SignatureRecord[] {
    return [...this.#newestOfRoot.group(rootId)];
  }

  nextDue(): number | null {
    for (const record of this.#due.group(ALL)) return dueInstant(record);
    return null;
  }

  heldByWorker(workerId: string, limit: number): SignatureRecord[] {
    return this.#running.group(workerId)[Symbol.iterator]().take(limit).toArray();
  }

  owing(parentId: string, limit: number): SignatureRecord[] {
    return this.#owing.group(parentId)[Symbol.iterator]().take(limit).toArray();
  }

  owed(limit: number): string[] {
    return this.#owing
      .groups()
      .take(limit)
      .map(([parentId]) => parentId)
      .toArray();
  }

  sweeping(limit: number): string[] {
    return this.#sweeping
      .group(ALL)
      [Symbol.iterator]()
      .take(limit)
      .map((record) => record.id)
      .toArray();
  }

  /** Tasks that run under a worker that is not `alive`. */
  strays(alive: (workerId: string) => boolean, limit: number): string[] {
    return this.#running
      .groups()
      .filter(([workerId]) => !alive(workerId))
      .flatMap(([, tasks]) => tasks)
      .filter(({ kind }) => kind === "task")
      .take(limit)
      .map(({ id }) => id)
      .toArray();
  }

  stalled(limit: number): string[] {
    return this.#stalled
      .group(ALL)
      [Symbol.iterator]()
      .take(limit)
      .map(({ id }) => id)
      .toArray();
  }

  holders(after: string | null, limit: number): string[] {
    const holders = [...this.#held.groups()].map(([id]) => id).filter((id) => after === null || id > after);
    return holders.sort(byText).slice(0, limit);
  }

  unsettled(after: string | null, limit: number): SignatureRecord[] {
    return this.#unsettled
      .group(ALL)
      .from((record) => after !== null && record.id <= after)
      .take(limit)
      .toArray();
  }

  awaited(ids: readonly string[]): Map<string, SignatureRecord[]> {
    const awaited = new Map<string, SignatureRecord[]>();
    for (const id of ids) {
      const records = this.#awaitedBy(id);
      if (records.length > 0) awaited.set(id, records);
    }
    return awaited;
  }

  #awaitedBy(id: string): SignatureRecord[] {
    const children = OPEN.flatMap((status) => {
      const all = this.#childrenByStatus.group(childrenIn(id, status))[Symbol.iterator]();
      if (status === "SUSPENDED") {
        const suspended = [...all];
        return [true, false].flatMap((told) =>
          suspended.filter(({ readyAt }) => (readyAt !== null) === told).slice(0, 1),
        );
      }
      if (status !== "PENDING") return all.take(1).toArray();
      const held = this.#heldChildren.group(id)[Symbol.iterator]().take(1);
      return [...held, ...all.filter(({ heldBy }) => heldBy === null).take(1)];
    });
    const callbacks = [...this.#callbacks.group(id)].filter(({ status }) => !isEnded(status));
    const below = this.#unsettled
      .group(ALL)
      .from((record) => record.id <= `${id}.`)
      .take(1)
      .filter((record) => record.id.startsWith(`${id}.`));
    return [...new Set([...children, ...callbacks, ...this.owing(id, 1), ...below])];
  }

  #listed({ roots, rootId, marked }: ListQuery): ReturnType<RecordIndex["group"]> {
    if (rootId !== undefined) return this.#newestOfRoot.group(rootId);
    if (marked === true) return this.#newestMarked.group(ALL);
    return (roots ? this.#newestRoots : this.#newest).group(ALL);
  }

  #fits(record: SignatureRecord, query: ListQuery): boolean {
    const { roots, statuses, kinds, names, roles, tag, marked } = query;
    return (
      (!roots || record.role === "root") &&
      (statuses?.includes(record.status) ?? true) &&
      (kinds?.includes(record.kind) ?? true) &&
      (names?.includes(record.name) ?? true) &&
      (roles?.includes(record.role) ?? true) &&
      (marked === undefined || marked === (record.deletion !== null)) &&
      (tag === undefined || (this.#records.get(record.rootId)?.tags.includes(tag) ?? false))
    );
  }
}

/** Those of a group that belong to a sweep. */
function among(group: ReturnType<RecordIndex["group"]>, query: WindowQuery): SignatureRecord[] {
  return group[Symbol.iterator]()
    .filter((record) => belongs(record, query))
    .take(query.limit)
    .toArray();
}

function isUnsettled({ kind, status, milestone }: SignatureRecord): boolean {
  return (
    (kind !== "task" && status === "RUNNING") ||
    milestone === MILESTONE.ENDED ||
    milestone === MILESTONE.CLEANED
  );
}

function isStalled({ deletion, kind, status, workerId, dueAt, readyAt, heldBy }: SignatureRecord): boolean {
  return (
    (status === "WAITING" && dueAt === null) ||
    (status === "RUNNING" && kind === "task" && workerId === null) ||
    (status === "PENDING" && readyAt !== null && heldBy === null && deletion === null)
  );
}

function childrenIn(parentId: string, status: Status): string {
  return `${status} ${parentId}`;
}
