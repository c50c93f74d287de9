import fc from "fast-check";
import { type Role, ROLES, type CallbackRole } from "../../core/ids.ts";
import {
  type Deletion,
  MILESTONE,
  type Milestone,
  NO_FAMILY,
  type SignatureRecord,
  type Stop,
  type Sweep,
} from "../../core/record.ts";
import { isEnded, type Status, STATUSES } from "../../core/status.ts";
import type {
  Changes,
  DraftStep,
  LogRow,
  Store,
  Ticket,
  Tombstone,
  Transaction,
  WorkerRow,
} from "../../ports/store.ts";
import { sampleEntry } from "./sample-entry.ts";
import { sampleLog } from "./sample-log.ts";
import { FAR_AHEAD, LONG_AGO, sampleCallback, sampleChild, sampleSwarm } from "./sample-record.ts";
import { sampleStop } from "./sample-stop.ts";
import { sampleWorker } from "./sample-worker.ts";

/** What may change of a record; {@link Story} makes it fit. */
interface Change {
  readonly status: Status;
  readonly attempt: number;
  readonly epoch: number;
  readonly priority: number;
  readonly readyAt: number;
  readonly dueAt: number | null;
  readonly deadlineAt: number | null;
  readonly worker: number | null;
  readonly held: number | null;
  readonly suspendedWhile: "PENDING" | "RUNNING";
  readonly sweep: Sweep | null;
  readonly milestone: Milestone;
  readonly behind: number;
  readonly result: string | null;
  readonly stop: Pick<Stop, "verb" | "until" | "done" | "resumes"> | null;
  /** Who gave the order: the container, or somebody. */
  readonly passedOn: boolean;
  readonly purgeAt: number | null;
}

/**
 * Inserts or updates the record of a place. Workflow 2 begins as a draft; 7 is the root, 4 a chain inside it, 8 and 9 a step and the
 * cleanup of that.
 */
interface Edit {
  readonly workflow: number;
  readonly place: number;
  readonly name: number;
  readonly createdAt: number;
  readonly keyed: boolean;
  readonly tagged: boolean;
  readonly change: Change;
}

/** Past or far ahead of any clock, so that two stores with different clocks agree on what is due. */
const instant = fc.constantFrom(LONG_AGO, LONG_AGO + 1, LONG_AGO + 2, FAR_AHEAD - 1, FAR_AHEAD);

const SWEEPS = ["start", "skip", "unhold", "clean", "interrupt", "cancel", "hasten", "reset"] as const;

const changeArbitrary: fc.Arbitrary<Change> = fc.record({
  status: fc.constantFrom(...STATUSES),
  attempt: fc.nat(2),
  epoch: fc.nat(9),
  priority: fc.integer({ min: -1, max: 1 }),
  readyAt: fc.integer({ min: 1, max: 3 }),
  dueAt: fc.option(instant),
  deadlineAt: fc.option(instant),
  worker: fc.option(fc.nat(1)),
  held: fc.option(fc.nat(1)),
  suspendedWhile: fc.constantFrom("PENDING" as const, "RUNNING" as const),
  sweep: fc.option(fc.constantFrom<Sweep>(...SWEEPS)),
  milestone: fc.constantFrom<Milestone>(MILESTONE.ENDED, MILESTONE.CLEANED, MILESTONE.SETTLED),
  behind: fc.nat(3),
  result: fc.option(fc.constantFrom("1", "-0", '"\\u0000"')),
  stop: fc.option(
    fc.record({
      verb: fc.constantFrom("interrupt" as const, "cancel" as const),
      until: instant,
      done: fc.boolean(),
      resumes: fc.boolean(),
    }),
  ),
  passedOn: fc.boolean(),
  purgeAt: fc.option(instant),
});

const editArbitrary: fc.Arbitrary<Edit> = fc.record({
  workflow: fc.nat(2),
  place: fc.nat(9),
  name: fc.nat(2),
  createdAt: fc.integer({ min: LONG_AGO, max: LONG_AGO + 2 }),
  keyed: fc.boolean(),
  tagged: fc.boolean(),
  change: changeArbitrary,
});

export const batchArbitrary: fc.Arbitrary<RandomBatch> = fc.record({
  edits: fc.array(editArbitrary, { maxLength: 8 }),
  entries: fc.array(fc.nat(1), { maxLength: 4 }),
  logs: fc.array(fc.nat(3), { maxLength: 3 }),
  notes: fc.array(fc.nat(3), { maxLength: 3 }),
  workers: fc.array(fc.record({ n: fc.nat(2), alive: fc.boolean(), ended: fc.boolean() }), { maxLength: 2 }),
  finishDraft: fc.boolean(),
  tickets: fc.array(instant, { maxLength: 2 }),
  tombstones: fc.array(fc.nat(2), { maxLength: 2 }),
  condemn: fc.option(fc.nat(1), { freq: 4 }),
  discard: fc.constantFrom<Discard>("nothing", "one", "all"),
});

export const questionArbitrary: fc.Arbitrary<Question> = fc.record({
  limit: fc.integer({ min: 1, max: 6 }),
  slots: fc.nat(4),
  perName: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)),
  statuses: fc.uniqueArray(fc.constantFrom(...STATUSES), { minLength: 1, maxLength: 4 }),
  roles: fc.uniqueArray(fc.constantFrom(...ROLES), { minLength: 1, maxLength: 4 }),
  afterSlot: fc.option(fc.integer({ min: -1, max: 8 })),
  afterSeq: fc.nat(3),
  afterCreated: fc.option(fc.integer({ min: LONG_AGO - 1, max: LONG_AGO + 3 })),
  afterPlace: fc.nat(7),
  until: instant,
});

/** Random numbers that a {@link Story} turns into changes which a runtime could have made. */
export interface RandomBatch {
  readonly edits: readonly Edit[];
  readonly entries: readonly number[];
  readonly logs: readonly number[];
  readonly notes: readonly number[];
  readonly workers: readonly { readonly n: number; readonly alive: boolean; readonly ended: boolean }[];
  readonly finishDraft: boolean;
  /** When new tickets expire. */
  readonly tickets: readonly number[];
  /** Workflows that are said to be gone. */
  readonly tombstones: readonly number[];
  /** The workflow that is taken out of every read, if there is such a one. */
  readonly condemn: number | null;
  /** What is removed of it before the next commit. */
  readonly discard: Discard;
}

type Discard = "nothing" | "one" | "all";

export interface Question {
  readonly limit: number;
  readonly slots: number;
  readonly perName: readonly [number, number, number];
  readonly statuses: readonly Status[];
  readonly roles: readonly Role[];
  readonly afterSlot: number | null;
  readonly afterSeq: number;
  readonly afterCreated: number | null;
  readonly afterPlace: number;
  readonly until: number;
}

const ALL = 1_000;
const CALLBACKS: readonly CallbackRole[] = ["success", "cleanup"];

/** Turns random batches into valid ones, and asks two stores everything that can be asked about what came of them. */
export class Story {
  readonly #id: string;
  readonly #records = new Map<string, SignatureRecord>();
  #draft: "none" | "begun" | "finished" = "none";
  #commits = 0;
  /** Roots that were condemned and are not gone, and how many records are left of each. */
  readonly #condemned = new Map<string, number>();
  readonly #tickets: Ticket[] = [];

  constructor(id: string) {
    this.#id = id;
  }

  next(batch: RandomBatch): Changes {
    const n = ++this.#commits;
    const insert = new Map<string, SignatureRecord>();
    const update = new Map<string, SignatureRecord>();
    for (const edit of batch.edits) {
      const fresh = this.#fresh(edit);
      if (this.#condemned.has(fresh.rootId)) continue;
      const known = this.#records.get(fresh.id);
      if (edit.workflow === 2 && !this.#mayDraft(fresh, known !== undefined, batch.finishDraft)) continue;
      const record = this.#changed(known ?? fresh, edit.change);
      (known === undefined || insert.has(record.id) ? insert : update).set(record.id, record);
      this.#records.set(record.id, record);
    }
    const drafts = [...this.#drafting(insert, batch.finishDraft), ...this.#condemning(insert, batch.condemn)];
    const tickets = batch.tickets.map((expiresAt, nth) => ({ ...this.#ticket(nth), expiresAt }));
    this.#tickets.push(...tickets);
    const journal = new Map<string, ReturnType<typeof sampleEntry>[]>();
    for (const workflow of batch.entries) {
      const rootId = this.#root(workflow);
      journal.set(rootId, [...(journal.get(rootId) ?? []), sampleEntry(rootId, n)]);
    }
    const generation = 1;
    const noted = batch.notes.map((note) => ({ id: `${this.#root(0)}.${note}`, generation }));
    return {
      insert: [...insert.values()],
      update: [...update.values()],
      specs: [{ rootId: this.#root(0), id: `${n}`, body: `{"n":${n}}` }],
      journal,
      logs: batch.logs.map((log) =>
        sampleLog(`${this.#root(0)}.${log}`, `${n} ${log}`, {
          rootId: this.#root(0),
          level: log === 0 ? "error" : "info",
        }),
      ),
      steps: noted.slice(0, 1).map((at) => ({ ...at, name: `${n}`, result: `${n}` })),
      checkpoints: noted.slice(1).map((at) => ({ ...at, body: `${n}` })),
      progress: noted.slice(2).map((at) => ({ ...at, progress: { fraction: 1 / n, note: `${n}` } })),
      workers: batch.workers.map(({ n: worker, alive, ended }): WorkerRow =>
        sampleWorker(this.#worker(worker), {
          startedAt: LONG_AGO + worker,
          leaseUntil: alive ? FAR_AHEAD : LONG_AGO + worker,
          endedAt: ended ? n : null,
        }),
      ),
      drafts,
      tickets,
      tombstones: batch.tombstones.map((workflow) => this.#tombstone(workflow, n)),
      stamp: { by: this.#id, n },
    };
  }

  /** Removes what was condemned, in the same steps from each of the stores. */
  async discard(what: Discard, stores: readonly Store[]): Promise<void> {
    for (const [rootId, left] of this.#condemned) {
      if (what === "nothing" || (what === "one" && left === 1)) continue;
      const limit = what === "one" ? 1 : ALL;
      const wanted = what === "all";
      for (const store of stores)
        while ((await store.transact((tx) => tx.discard(rootId, limit))) !== wanted);
      if (wanted) this.#condemned.delete(rootId);
      else this.#condemned.set(rootId, left - 1);
    }
  }

  /** Every question of the port, with its answer. What the port gives no order is put in order. */
  async ask(store: Store, question: Question): Promise<Record<string, unknown>> {
    return {
      ...(await this.#askRecords(store, question)),
      ...(await this.#askRest(store, question)),
      ...(await store.transact((tx) => this.#askInside(tx, question))),
    };
  }

  async #askRecords(store: Store, question: Question): Promise<Record<string, unknown>> {
    const { limit, statuses, roles, afterSlot, afterCreated, afterPlace } = question;
    const at = { createdAt: afterCreated ?? 0, id: `${this.#root(0)}.${afterPlace}` };
    const after = afterCreated === null ? null : at;
    const parentId = this.#root(0);
    const page = { limit, after };
    return {
      get: byId(await store.get([...this.#records.keys(), `${this.#id}none`])),
      byKey: await Promise.all([0, 1, 2].map((n) => store.byKey(this.#root(n)))),
      children: await store.children({ parentId, of: "children", after: afterSlot, limit }),
      childrenByStatus: await store.children({ parentId, of: "children", statuses, after: afterSlot, limit }),
      callbacks: await store.children({ parentId, of: "callbacks", after: null, limit }),
      tally: await Promise.all([0, 1, 2].map((n) => this.#tally(store, n, statuses))),
      list: await store.list({ roots: false, rootId: parentId, ...page }),
      listByStatus: await store.list({ roots: false, names: this.#names(), statuses, ...page }),
      listByRole: await store.list({ roots: false, names: this.#names(), roles, ...page }),
      listByTag: await store.list({ roots: false, tag: `tag ${this.#id}`, ...page }),
      listMarked: await store.list({ roots: true, names: this.#names(), marked: true, ...page }),
      listRoots: await store.list({ roots: true, names: this.#names(), ...page }),
      scan: (await store.scan({ after: this.#id, limit: ALL })).filter(({ id }) => id.startsWith(this.#id)),
    };
  }

  async #askRest(store: Store, { limit, afterSeq }: Question): Promise<Record<string, unknown>> {
    const rootId = this.#root(0);
    const refs = Array.from({ length: this.#commits + 1 }, (_, n) => ({ rootId, id: `${n}` }));
    const logs = await store.logs({ rootId, after: 0, limit: ALL });
    const names = await store.readyNames();
    return {
      specs: (await store.specs(refs)).toSorted((a, b) => Number(a.id) - Number(b.id)),
      journal: await store.journal({ rootId, after: afterSeq, limit }),
      lastSeq: await store.lastSeq(rootId),
      logs: logs.map(withoutSeq),
      logCount: await store.logCount(rootId, 1_000),
      stops: byId(this.#own(await store.stops(ALL))),
      tombstones: await Promise.all([0, 1, 2].map((n) => store.tombstone(this.#root(n)))),
      errors: (await store.logs({ rootId, level: "error", contains: "1", after: 0, limit })).map(withoutSeq),
      lateLogs: (await store.logs({ id: `${rootId}.1`, after: logs[0]?.seq ?? 0, limit })).map(withoutSeq),
      notes: await Promise.all([0, 1, 2, 3].map((n) => store.notes(`${rootId}.${n}`, 1))),
      stamped: await store.stamped(this.#id),
      readyNames: this.#names().map((name) => names.get(name) ?? 0),
      nextDue: await store.nextDue(),
      strays: (await store.strays(ALL)).filter((id) => id.startsWith(this.#id)).toSorted(),
      stalled: (await store.stalled(ALL)).filter((id) => id.startsWith(this.#id)),
      holders: (await store.holders({ after: this.#id, limit })).filter((id) => id.startsWith(this.#id)),
      unsettled: this.#own(await store.unsettled({ after: this.#id, limit })),
      awaited: awaitedById(await store.awaited([0, 1, 2].map((n) => this.#root(n)))),
      workers: this.#own(await store.workers(ALL)),
    };
  }

  async #askInside(tx: Transaction, question: Question): Promise<Record<string, unknown>> {
    const { slots, perName } = question;
    const root = this.#root(0);
    const tasks = new Map(this.#names().map((name, n) => [name, perName[n]!]));
    return {
      read: byId(await tx.read([...this.#records.keys()])),
      ...(await this.#windows(tx, question)),
      itemsByKey: byId(await tx.itemsByKey(root, ["key 0", "key 1", "key 2", "key 3"])),
      ready: await tx.ready({ workerId: this.#worker(0), slots, tasks }),
      due: this.#own(await tx.due(ALL))
        .map(({ id }) => id)
        .toSorted(),
      lapsed: this.#own(await tx.lapsed(ALL))
        .map(({ id }) => id)
        .toSorted(),
      heldByWorker: byId(await tx.heldByWorker(this.#worker(0), ALL)),
      owing: byId(await tx.owing(root, ALL)),
      owed: (await tx.owed(ALL)).filter((id) => id.startsWith(this.#id)).toSorted(),
      sweeping: (await tx.sweeping(ALL)).filter((id) => id.startsWith(this.#id)).toSorted(),
      awaited: awaitedById(await tx.awaited([root])),
      tallyInside: this.#counts(await tx.tally(root, STATUSES), STATUSES),
      abandoned: (await tx.abandoned(FAR_AHEAD, ALL)).filter((id) => id.startsWith(this.#id)).toSorted(),
      purgeable: byId(this.#own(await tx.purgeable(ALL))),
      underWay: await Promise.all([0, 1, 2].map(async (n) => byId(await tx.underWayIn(this.#root(n), ALL)))),
      tickets: await Promise.all(this.#tickets.map(({ token }) => tx.ticket(token))),
    };
  }

  /** Of the roots and of the chain inside one of them; in order where the port gives one. */
  async #windows(tx: Transaction, { limit, until }: Question): Promise<Record<string, unknown>> {
    const answers: Record<string, unknown> = {};
    for (const id of [this.#root(0), this.#root(2), `${this.#root(0)}.4`]) {
      for (const what of SWEEPS) {
        const some = await tx.window({ id, what, until, limit });
        const all = await tx.window({ id, what, until, limit: ALL });
        const isOrdered = what === "start" || what === "unhold" || what === "clean";
        answers[`${what} in ${id}`] = isOrdered ? [some, all] : [some.length, byId(all)];
      }
    }
    return answers;
  }

  async #tally(store: Store, workflow: number, statuses: readonly Status[]): Promise<number[]> {
    return this.#counts(await store.tally(this.#root(workflow), statuses), statuses);
  }

  #counts(counts: ReadonlyMap<Status, number>, statuses: readonly Status[]): number[] {
    return statuses.map((status) => counts.get(status) ?? 0);
  }

  /** The root of a draft comes with the last of it, and that commit alone changes what is in it. */
  #mayDraft({ role }: SignatureRecord, known: boolean, finish: boolean): boolean {
    if (this.#draft === "finished") return true;
    return role !== "root" && (!known || (this.#draft === "begun" && finish));
  }

  #drafting(insert: Map<string, SignatureRecord>, finish: boolean): DraftStep[] {
    const root = this.#root(2);
    const touched = insert.values().some(({ rootId }) => rootId === root);
    if (this.#draft === "none" && touched) {
      this.#draft = "begun";
      return [{ begin: root }];
    }
    if (this.#draft === "begun" && finish) {
      this.#draft = "finished";
      const record = sampleSwarm(root);
      this.#records.set(root, record);
      insert.set(root, record);
      return [{ finish: root }];
    }
    return [];
  }

  /** What is inserted by the same commit is not stored yet. */
  #condemning(insert: ReadonlyMap<string, SignatureRecord>, workflow: number | null): DraftStep[] {
    if (workflow === null) return [];
    const rootId = this.#root(workflow);
    if (!this.#records.has(rootId) || insert.has(rootId)) return [];
    const records = this.#records
      .values()
      .filter((record) => record.rootId === rootId)
      .toArray();
    for (const { id } of records) this.#records.delete(id);
    this.#condemned.set(rootId, records.length);
    return [{ condemn: rootId }];
  }

  #ticket(nth: number): Omit<Ticket, "expiresAt"> {
    return { token: `${this.#id}ticket ${this.#commits} ${nth}`, body: `${nth}` };
  }

  #tombstone(workflow: number, at: number): Tombstone {
    const what = { name: "n", kind: "swarm", status: "FAILED", action: "delete" } as const;
    return { id: this.#root(workflow), ...what, at, by: "somebody", reason: null, stub: null };
  }

  #fresh({ workflow, place, name, createdAt, keyed, tagged }: Edit): SignatureRecord {
    const root = sampleSwarm(this.#root(workflow));
    const other = { createdAt, name: this.#names()[name]! };
    if (place === 7) {
      const tags = tagged ? ["any", `tag ${this.#id}`] : [];
      return { ...root, ...other, tags, key: keyed ? root.id : null };
    }
    const chain = sampleChild(root, 4, { ...other, kind: "chain", family: NO_FAMILY });
    if (place === 4) return chain;
    if (place === 8) return sampleChild(chain, 0, other);
    if (place === 9) return sampleCallback(chain, "cleanup", 0, other);
    if (place > 4) return sampleCallback(root, CALLBACKS[place - 5]!, 0, other);
    return sampleChild(root, place, { ...other, key: keyed ? `key ${place}` : null });
  }

  #changed(record: SignatureRecord, change: Change): SignatureRecord {
    const { attempt, epoch, priority, dueAt, sweep, result } = change;
    // Only tasks become ready, have a deadline or a worker, nobody credits a root, and nothing is held in a draft.
    const isTask = record.kind === "task";
    const status = change.status === "READY" && !isTask ? "RUNNING" : change.status;
    const mayBeHeld = (status === "PENDING" || status === "INTERRUPTED") && record.rootId !== this.#root(2);
    const milestone = isEnded(status) ? change.milestone : MILESTONE.OPEN;
    const behind = record.parentId === null ? 0 : change.behind;
    const isTaken = status === "RUNNING" && isTask && change.worker !== null;
    return {
      ...record,
      status,
      attempt,
      epoch,
      priority,
      dueAt,
      sweep,
      milestone,
      result,
      deadlineAt: isTask ? change.deadlineAt : null,
      credited: Math.max(0, milestone - behind) as Milestone,
      readyAt: status === "READY" || (status === "SUSPENDED" && attempt > 0) ? change.readyAt : null,
      prior: status === "SUSPENDED" ? change.suspendedWhile : null,
      heldBy: mayBeHeld && change.held !== null ? this.#root(change.held) : null,
      workerId: isTaken ? this.#worker(change.worker) : null,
      stop: this.#stop(record, status, change),
      deletion: record.role === "root" ? deletionAt(change.purgeAt) : null,
    };
  }

  /** What is interrupted was told to. */
  #stop({ parentId }: SignatureRecord, status: Status, { stop, passedOn }: Change): Stop | null {
    if (stop === null) return status === "INTERRUPTED" ? sampleStop() : null;
    return sampleStop({ ...stop, by: passedOn ? parentId : null });
  }

  #root(workflow: number): string {
    return `${this.#id}w${workflow}`;
  }

  #worker(n: number): string {
    return `${this.#id}worker${n}`;
  }

  #names(): string[] {
    return [0, 1, 2].map((n) => `name ${n} of ${this.#id}`);
  }

  #own<T extends { readonly id: string }>(rows: readonly T[]): T[] {
    return rows.filter(({ id }) => id.startsWith(this.#id));
  }
}

function deletionAt(purgeAt: number | null): Deletion | null {
  if (purgeAt === null) return null;
  const how = { action: "delete", by: "somebody", reason: null, stub: false } as const;
  return { markedAt: 1, purgeAt, ...how, generation: 1, purged: false };
}

function byId(records: readonly SignatureRecord[]): SignatureRecord[] {
  return records.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function awaitedById(awaited: ReadonlyMap<string, readonly SignatureRecord[]>): [string, unknown][] {
  const ids = [...awaited.keys()].sort((a, b) => (a < b ? -1 : 1));
  return ids.map((id) => [id, byId(awaited.get(id)!)]);
}

/** Two stores number their lines differently. */
function withoutSeq(row: LogRow): LogRow {
  return { ...row, seq: 0 };
}
