import { StoreError } from "../../core/errors.ts";
import {
  type Changes,
  type Locked,
  OutcomeUnknown,
  type Store,
  type Transaction,
} from "../../ports/store.ts";
import type { Process } from "./process.ts";

/** What the store decorator needs of the world around it. */
export interface StoreWorld {
  readonly inner: Store;
  readonly scheduler: {
    wait(actor: Process, label: string, options?: object): Promise<void>;
    transactionOpen: boolean;
    now: number;
  };
  /** Counts a boundary; dies here when it is this process's time. */
  boundary(process: Process, where: string): void;
  fault(kind: "busy" | "unknownKept" | "unknownLost" | "busyContainer" | "lateAnswer"): boolean;
  readonly storeDown: boolean;
  latency(): number;
  committed(process: Process, now: number, changes: readonly Changes[]): void;
  beaten(workerId: string, lease: number): void;
  ring(process: Process, listener: () => void): void;
}

/** Thrown inside a transaction whose commit gets lost. */
class Lost extends Error {}

/**
 * One process's view of the shared store. Every call waits for the scheduler before it takes effect and again before its
 * answer arrives; in between lie the boundaries at which a process can die.
 */
export function simulatedStore(world: StoreWorld, process: Process): Store {
  const { inner, scheduler } = world;

  const before = async (label: string, exclusive: boolean): Promise<void> => {
    await scheduler.wait(process, label, { exclusive });
    world.boundary(process, `before ${label}`);
    if (process.dead) await never();
    if (world.storeDown) throw new StoreError("STORE_UNAVAILABLE", "the simulated store is down");
    if (exclusive && world.fault("busy")) throw new StoreError("STORE_BUSY", "the simulated store is busy");
  };

  const after = async (label: string): Promise<void> => {
    world.boundary(process, `after ${label}`);
    if (process.dead) await never();
    await scheduler.wait(process, `${label} answered`, { due: scheduler.now + world.latency() });
  };

  async function read<T>(label: string, work: () => Promise<T>): Promise<T> {
    await before(label, false);
    const answer = await work();
    if (world.fault("lateAnswer")) await after(label);
    return answer;
  }

  async function transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    await before("transact", true);
    scheduler.transactionOpen = true;
    const written: Changes[] = [];
    let now = 0;
    let answer: T;
    let lost = false;
    try {
      answer = await inner.transact(async (tx) => {
        now = tx.now;
        const result = await Promise.race([work(simulated(world, process, tx, written)), process.died]);
        if (process.dead) throw new Lost();
        if (written.length > 0 && world.fault("unknownLost")) throw new Lost();
        return result;
      });
    } catch (error) {
      if (process.dead) return await never();
      if (!(error instanceof Lost)) throw error;
      lost = true;
    } finally {
      scheduler.transactionOpen = false;
    }
    if (!lost && written.length > 0) world.committed(process, now, written);
    await after(written.length > 0 ? "commit" : "transact");
    if (lost || (written.length > 0 && world.fault("unknownKept"))) {
      throw new OutcomeUnknown("the simulated connection broke during the commit");
    }
    return answer!;
  }

  return {
    name: `simulated ${inner.name}`,
    address: null,
    open: () => read("open", () => inner.open()),
    close: async () => {},
    transact,
    get: (ids) => read("get", () => inner.get(ids)),
    byKey: (key) => read("byKey", () => inner.byKey(key)),
    specs: (refs) => read("specs", () => inner.specs(refs)),
    children: (query) => read("children", () => inner.children(query)),
    tally: (parentId, statuses) => read("tally", () => inner.tally(parentId, statuses)),
    list: (query) => read("list", () => inner.list(query)),
    scan: (query) => read("scan", () => inner.scan(query)),
    journal: (query) => read("journal", () => inner.journal(query)),
    lastSeq: (rootId) => read("lastSeq", () => inner.lastSeq(rootId)),
    logs: (query) => read("logs", () => inner.logs(query)),
    notes: (id, generation) => read("notes", () => inner.notes(id, generation)),
    stamped: (by) => read("stamped", () => inner.stamped(by)),
    readyNames: () => read("readyNames", () => inner.readyNames()),
    nextDue: () => read("nextDue", () => inner.nextDue()),
    strays: (limit) => read("strays", () => inner.strays(limit)),
    stalled: (limit) => read("stalled", () => inner.stalled(limit)),
    holders: (query) => read("holders", () => inner.holders(query)),
    unsettled: (query) => read("unsettled", () => inner.unsettled(query)),
    awaited: (ids) => read("awaited", () => inner.awaited(ids)),
    tombstone: (rootId) => read("tombstone", () => inner.tombstone(rootId)),
    audit: (query) => read("audit", () => inner.audit(query)),
    reports: (query) => read("reports", () => inner.reports(query)),
    stops: (limit) => read("stops", () => inner.stops(limit)),
    logCount: (rootId, limit) => read("logCount", () => inner.logCount(rootId, limit)),
    workers: (limit) => read("workers", () => inner.workers(limit)),
    damage: (limit) => read("damage", () => inner.damage(limit)),
    async heartbeat(workerId, lease) {
      await before("heartbeat", true);
      const alive = await inner.heartbeat(workerId, lease);
      if (alive) world.beaten(workerId, lease);
      await after("heartbeat");
      return alive;
    },
    watch: (listener) => inner.watch(() => world.ring(process, listener)),
  };
}

function simulated(world: StoreWorld, _process: Process, tx: Transaction, written: Changes[]): Transaction {
  return {
    now: tx.now,
    async lock(ids, options): Promise<Locked> {
      const busy = options.wait ? [] : ids.filter(() => world.fault("busyContainer"));
      const locked = await tx.lock(busy.length === 0 ? ids : ids.filter((id) => !busy.includes(id)), options);
      return { records: locked.records, busy: [...locked.busy, ...busy] };
    },
    read: (ids) => tx.read(ids),
    specs: (refs) => tx.specs(refs),
    byKey: (key) => tx.byKey(key),
    itemsByKey: (parentId, keys) => tx.itemsByKey(parentId, keys),
    window: (query) => tx.window(query),
    ready: (demand) => tx.ready(demand),
    due: (limit) => tx.due(limit),
    lapsed: (limit) => tx.lapsed(limit),
    alive: (workerId) => tx.alive(workerId),
    heldByWorker: (workerId, limit) => tx.heldByWorker(workerId, limit),
    owing: (parentId, limit) => tx.owing(parentId, limit),
    owed: (limit) => tx.owed(limit),
    sweeping: (limit) => tx.sweeping(limit),
    awaited: (ids) => tx.awaited(ids),
    tally: (parentId, statuses) => tx.tally(parentId, statuses),
    purgeable: (limit) => tx.purgeable(limit),
    underWayIn: (rootId, limit) => tx.underWayIn(rootId, limit),
    lastAudit: () => tx.lastAudit(),
    lastStart: () => tx.lastStart(),
    ticket: (token) => tx.ticket(token),
    abandoned: (before, limit) => tx.abandoned(before, limit),
    async discard(rootId, limit) {
      const gone = await tx.discard(rootId, limit);
      // It changes the store like any write, so that the same can happen to it.
      written.push({});
      return gone;
    },
    async write(changes) {
      await tx.write(changes);
      written.push(changes);
    },
  };
}

/** What a dead process waits for. */
function never(): Promise<never> {
  return new Promise(() => {});
}
