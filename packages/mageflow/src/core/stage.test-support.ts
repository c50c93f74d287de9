import { audit } from "./audit.test-support.ts";
import { byTurn } from "./choose.ts";
import { decide } from "./decide.ts";
import { type Entry, entriesOf, tells } from "./event.ts";
import { expand, expandChildren } from "./expand.ts";
import { SpecBook } from "./spec-book.ts";
import { isCallback } from "./ids.ts";
import type { PlanNode, Spec } from "./plan.ts";
import { isSettled, MILESTONE, type SignatureRecord, type SpecRow, type Sweep } from "./record.ts";
import { holds, recount, remedy, restart } from "./reason-to-wait.ts";
import { byName, type Script } from "./sample-plans.test-support.ts";
import {
  type Addressed,
  after,
  type AttemptOutcome,
  type Credit,
  type Decision,
  type Signal,
  unchanged,
} from "./signal.ts";
import { isEnded, type Status, STATUSES } from "./status.ts";
import { belongs, type SweepOf, told } from "./sweep.ts";
import { twinPlace, twinPrefix } from "./twin.ts";
import { ancestors, type View } from "./view.ts";

/**
 * Whole workflows in virtual time, on nothing but the deciders: records in a map, signals delivered in rounds, windows
 * answered as the store port words it. It is written from that wording and shares no code with runtime or stores, so
 * that it can be held against them.
 */

/** A status that a signature took on in some commit. */
export interface Step {
  readonly id: string;
  readonly to: Status;
  readonly generation: number;
}

export interface StageOptions {
  /** The order in which a round is delivered; as sent when it is not given. */
  readonly order?: (round: Addressed[]) => Addressed[];
  /** True when a container's row is locked by somebody else, so that its credits have to wait. */
  readonly busy?: (id: string) => boolean;
  /** The most that a window gives; the deciders' own limit when it is not given. */
  readonly window?: number;
  /** True when a commit is lost at its end, as if its process had died. */
  readonly lost?: () => boolean;
}

/** A commit did not land. */
export class LostError extends Error {}

export class Stage {
  now: number = 1_000_000;
  records: Map<string, SignatureRecord> = new Map();
  specs: Map<string, Spec> = new Map();
  /** Every change of status, in order; inside one commit too. */
  steps: Step[] = [];
  /** Entries of each commit in the order in which its signatures were last changed, so that the root's end comes last. */
  journal: Entry[] = [];
  readonly #touched = new Set<string>();
  readonly #options: StageOptions;

  constructor(options: StageOptions = {}) {
    this.#options = options;
  }

  get view(): View {
    const { records, specs, now } = this;
    return {
      now,
      get: (id) => records.get(id),
      spec: (record) => specs.get(`${record.rootId}/${record.spec}`)!,
    };
  }

  get(id: string): SignatureRecord {
    const record = this.records.get(id);
    if (record === undefined)
      throw new Error(`no record ${id}; there are ${[...this.records.keys()].join(" ")}`);
    return record;
  }

  status(id: string): Status {
    return this.get(id).status;
  }

  /** Ids by status, sorted. */
  in(...statuses: Status[]): string[] {
    return [...this.records.values()]
      .filter((record) => statuses.includes(record.status))
      .map((record) => record.id)
      .toSorted();
  }

  /** Stores a plan; starts it unless told otherwise. */
  submit(plan: PlanNode, options: { id?: string; start?: boolean } = {}): SignatureRecord {
    const id = options.id ?? "r";
    const book = new SpecBook(id);
    const place = { id, rootId: id, parentId: null, role: "root" as const, slot: 0, key: null, door: null };
    const born = [...expand(plan, { ...place, priority: 0, message: null, tags: [], now: this.now }, book)];
    this.#atomically(() => {
      for (const record of born) this.#insert(record);
      this.#keep(book.take());
      if (options.start !== false) this.#deliver([{ to: id, signal: { type: "start" } }]);
    });
    return this.get(id);
  }

  /** Adds items to an open swarm: stores them and tells it in one commit, and lets the next ones start them. */
  add(id: string, children: readonly PlanNode[]): void {
    const owner = this.get(id);
    const total = owner.family!.total;
    const spec = this.view.spec(owner);
    const book = new SpecBook(owner.rootId, `${id.slice(owner.rootId.length)}+${total}.`);
    const place = { ...owner, message: null, tags: [], now: this.now, door: null };
    const born = [...expandChildren({ spec, bound: null, key: null, children }, place, total, book)];
    this.#atomically(() => {
      this.#keep(book.take());
      for (const record of born) this.#insert(record);
      this.#deliver([{ to: id, signal: { type: "add", count: children.length } }]);
    });
    while (this.tidy());
  }

  /** The worker that runs this task registers a twin. Returns its id. */
  attach(id: string, plan: PlanNode, descriptor = "{}"): string {
    const owner = this.get(id);
    const place = twinPlace(this.view, owner, descriptor, null);
    const book = new SpecBook(owner.rootId, twinPrefix(place));
    const born = [...expand(plan, place, book)];
    this.#atomically(() => {
      this.#keep(book.take());
      for (const record of born) this.#insert(record);
      this.#deliver([{ to: id, signal: { type: "attach", epoch: owner.epoch } }]);
    });
    return place.id;
  }

  /** One commit that begins with one signal. */
  send(to: string, signal: Signal): void {
    this.commit([{ to, signal }]);
  }

  /** One commit: all that follows lands, or nothing when a decider throws. */
  commit(signals: readonly Addressed[]): void {
    this.#atomically(() => this.#deliver([...signals]));
  }

  #atomically(work: () => void): void {
    const before = new Map(this.records);
    const specs = new Map(this.specs);
    const steps = this.steps.length;
    this.#touched.clear();
    try {
      work();
      if (this.#options.lost?.() === true) throw new LostError("the commit was lost");
    } catch (error) {
      this.records = before;
      this.specs = specs;
      this.steps.length = steps;
      throw error;
    }
    for (const id of this.#touched) this.journal.push(...entriesOf(before.get(id) ?? null, this.get(id)));
  }

  /** The journal tells of signatures in the order of the last change that it tells of. */
  #touch(id: string): void {
    this.#touched.delete(id);
    this.#touched.add(id);
  }

  #deliver(first: Addressed[]): void {
    let round = first;
    for (let rounds = 0; round.length > 0; rounds++) {
      if (rounds > 2_000) throw new Error("a commit does not come to its end");
      const inbox = new Map<string, Signal[]>();
      for (const { to, signal } of this.#options.order?.(round) ?? round) {
        const signals = inbox.get(to) ?? [];
        inbox.set(to, signals);
        // What answers an order comes with a credit, and after it.
        const answered = round.some((other) => other.to === to && other.signal.type === "halted");
        if (signal.type === "credit") this.#deposit(to, signals, signal.credits, !answered);
        else signals.push(signal);
      }
      for (const [to, signals] of inbox) {
        const answers = signals.filter(({ type }) => type === "halted");
        inbox.set(to, [...signals.filter(({ type }) => type !== "halted"), ...answers]);
      }
      const sent: Addressed[] = [];
      const takes: { id: string; take: NonNullable<Decision["take"]> }[] = [];
      for (const [id, signals] of inbox) {
        let decision = unchanged(this.get(id));
        for (const signal of signals) {
          const next = decide(this.view, decision.record, signal);
          const before = decision.record;
          const { status: to, generation } = next.record;
          if (to !== before.status) this.steps.push({ id, to, generation });
          decision = after(decision, next);
          this.records.set(id, decision.record);
          if (tells(before, next.record)) this.#touch(id);
          for (const born of next.insert) this.#insert(born);
        }
        sent.push(...decision.send);
        if (decision.take !== null) takes.push({ id, take: decision.take });
      }
      const answers: Addressed[] = [];
      for (const { id, take } of takes) {
        const limit = Math.min(take.limit, this.#options.window ?? Infinity);
        const sweeper = this.get(id);
        if (sweeper.sweep !== take.what) continue;
        const window = this.window({ id, what: take.what, until: sweeper.stop?.until }, limit);
        const signal = told(sweeper, take.what, this.now);
        for (const record of window) answers.push({ to: record.id, signal });
        answers.push({
          to: id,
          signal: { type: "took", what: take.what, count: window.length, limit },
        });
      }
      round = [...answers, ...sent];
    }
  }

  /** Credits of one round are one signal; those of a busy container stay owed. */
  #deposit(to: string, signals: Signal[], credits: readonly Credit[], mayWait: boolean): void {
    if (mayWait && this.#options.busy?.(to) === true) {
      for (const { child, from } of credits) {
        const record = this.get(child.id);
        this.records.set(child.id, { ...record, credited: from < record.credited ? from : record.credited });
      }
      return;
    }
    const at = signals.findIndex((signal) => signal.type === "credit");
    const earlier = signals[at];
    if (earlier?.type === "credit")
      signals[at] = { type: "credit", credits: [...earlier.credits, ...credits] };
    else signals.push({ type: "credit", credits });
  }

  /** The window of a sweep, as the store port words it. */
  window(sweep: SweepOf, limit: number): SignatureRecord[] {
    const all = [...this.records.values()];
    const found = all.filter((record) => belongs(record, sweep));
    const order: Readonly<Record<Sweep, (one: SignatureRecord, other: SignatureRecord) => number>> = {
      start: (one, other) => other.priority - one.priority || one.slot - other.slot,
      unhold: (one, other) => (one.id < other.id ? -1 : 1),
      clean: (one, other) => (one.id < other.id ? -1 : 1),
      skip: bySlot,
      interrupt: bySlot,
      cancel: bySlot,
      hasten: bySlot,
      reset: bySlot,
    };
    return found.toSorted(order[sweep.what]).slice(0, limit);
  }

  #insert(record: SignatureRecord): void {
    if (this.records.has(record.id)) throw new Error(`${record.id} is born twice`);
    this.records.set(record.id, record);
    this.#touch(record.id);
  }

  #keep(rows: readonly SpecRow[]): void {
    for (const row of rows) {
      const id = `${row.rootId}/${row.id}`;
      if (this.specs.has(id)) throw new Error(`spec ${id} is given twice`);
      this.specs.set(id, JSON.parse(row.body) as Spec);
    }
  }

  // ---- what the world does ------------------------------------------------------------------------------------

  /** Ready tasks in the order in which workers take them. */
  ready(): SignatureRecord[] {
    return [...this.records.values()].filter((record) => record.status === "READY").toSorted(byTurn);
  }

  /** A worker asks for this task. True when it runs now. */
  claim(id: string): boolean {
    const epoch = this.get(id).epoch;
    this.send(id, { type: "claim", workerId: "w" });
    const record = this.get(id);
    if (record.status !== "RUNNING" || record.epoch === epoch) return false;
    for (const ancestor of ancestors(this.view, record)) {
      if (ancestor.status === "SUSPENDED")
        throw new Error(`${id} was claimed inside suspended ${ancestor.id}`);
    }
    return true;
  }

  finish(id: string, outcome: AttemptOutcome = byName(this.get(id))): void {
    this.send(id, { type: "finish", epoch: this.get(id).epoch, outcome });
  }

  /** Claims and finishes this task. */
  run(id: string, outcome?: AttemptOutcome): void {
    if (!this.claim(id)) throw new Error(`${id} is ${this.status(id)} and cannot be claimed`);
    this.finish(id, outcome ?? byName(this.get(id)));
  }

  /** Goes on with sweeps and takes credits that are owed, one commit each. True when there was something. */
  tidy(): boolean {
    let some = false;
    for (const record of this.records.values()) {
      if (this.get(record.id).sweep !== null) {
        some = true;
        this.send(record.id, { type: "sweep" });
      }
      if (record.parentId !== null && record.milestone > record.credited && this.collect(record.parentId))
        some = true;
    }
    return some;
  }

  /** Whoever holds a container takes all credits that wait for it. */
  collect(id: string): boolean {
    if (this.#options.busy?.(id) === true) return false;
    const credits: Credit[] = [];
    for (const child of this.records.values()) {
      if (child.parentId !== id || child.milestone <= child.credited) continue;
      const paid = { ...child, credited: child.milestone };
      this.records.set(child.id, paid);
      credits.push({ child: paid, from: child.credited });
    }
    if (credits.length > 0) this.send(id, { type: "credit", credits });
    return credits.length > 0;
  }

  /** Moves time on and tells everything that has fallen due. */
  pass(ms: number): void {
    this.now += ms;
    for (const { id, status, dueAt, deadlineAt, stop } of this.records.values()) {
      const waited =
        (status === "WAITING" && dueAt !== null && dueAt <= this.now) ||
        (status === "RUNNING" && stop !== null && stop.until <= this.now);
      const late =
        (status === "READY" || status === "WAITING") && deadlineAt !== null && deadlineAt <= this.now;
      if (waited || late) this.send(id, { type: "due" });
    }
  }

  /** The next instant at which something falls due, or null. */
  nextDue(): number | null {
    const dues = [...this.records.values()].flatMap(({ status, dueAt }) =>
      status === "WAITING" && dueAt !== null ? [dueAt] : [],
    );
    return dues.length === 0 ? null : Math.min(...dues);
  }

  /** Runs everything that can run, one task after the other, until only what is suspended or running is left. */
  drain(script: Script = byName, until: () => boolean = () => false): void {
    for (let turns = 0; !until(); turns++) {
      if (turns > 200_000) throw new Error("the workflow does not come to its end");
      while (this.tidy());
      const [next] = this.ready();
      if (next !== undefined) {
        if (this.claim(next.id)) this.finish(next.id, script(this.get(next.id)));
        continue;
      }
      const due = this.nextDue();
      if (due === null) return;
      this.pass(Math.max(0, due - this.now));
    }
  }

  /** Ids in the order in which they took on a status. */
  order(to: Status, ids?: (id: string) => boolean): string[] {
    return this.steps.filter((step) => step.to === to && (ids?.(step.id) ?? true)).map((step) => step.id);
  }

  // ---- what has no reason to wait ------------------------------------------------------------------------------

  /** What a signature may be waiting for, as the store port words it. */
  awaited(id: string): SignatureRecord[] {
    const all = [...this.records.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const own = all.filter(({ parentId }) => parentId === id);
    const open = own.filter(({ status }) => !isEnded(status));
    const first = new Map<string, SignatureRecord>();
    for (const child of open.filter(({ role }) => !isCallback(role)).toSorted((a, b) => a.slot - b.slot)) {
      const apart = child.status === "SUSPENDED" ? child.readyAt === null : child.heldBy === null;
      const like = `${child.status} ${apart}`;
      if (!first.has(like)) first.set(like, child);
    }
    const owing = own.filter(({ credited, milestone }) => credited < milestone).slice(0, 1);
    const below = all.filter((record) => record.id.startsWith(`${id}.`) && isUnsettled(record)).slice(0, 1);
    const callbacks = open.filter(({ role }) => isCallback(role));
    return [...new Set([...first.values(), ...callbacks, ...owing, ...below])];
  }

  /** The signals that mend what has no reason to wait. */
  remedies(): Addressed[] {
    return [...this.records.values()].flatMap((record) => {
      const { id, heldBy } = record;
      const restarted = restart(record);
      if (restarted !== null) return [{ to: id, signal: restarted }];
      if (heldBy !== null && !holds(this.records.get(heldBy))) return [{ to: id, signal: { type: "start" } }];
      if (!isUnsettled(record)) return [];
      const awaited = this.awaited(id);
      const found = remedy(record, awaited);
      return (found === "recount" ? this.#recount(record, awaited) : found) ?? [];
    });
  }

  #recount(record: SignatureRecord, awaited: readonly SignatureRecord[]): Addressed | null {
    if (isEnded(record.status)) return recount(record, awaited, null);
    const children = this.children(record.id).filter(({ role }) => !isCallback(role));
    return recount(
      record,
      awaited,
      new Map(STATUSES.map((status) => [status, children.filter((child) => child.status === status).length])),
    );
  }

  /** Mends until nothing is left to mend. Returns whether there was anything. */
  mend(): boolean {
    for (let rounds = 0; ; rounds++) {
      if (rounds > 100) throw new Error("what has no reason to wait does not get one");
      const remedies = this.remedies();
      if (remedies.length === 0) return rounds > 0;
      for (const { to, signal } of remedies) this.send(to, signal);
      while (this.tidy());
    }
  }

  // ---- what must always hold ----------------------------------------------------------------------------------

  children(id: string): SignatureRecord[] {
    return [...this.records.values()].filter((record) => record.parentId === id);
  }

  /** @throws Error for counters that do not agree with the records they count. */
  audit(): void {
    audit(this.view, [...this.records.values()]);
  }

  /** @throws Error when something under a root is not settled, naming what stands still. */
  expectSettled(): void {
    this.audit();
    const open = [...this.records.values()].filter((record) => !isSettled(record));
    if (open.length === 0) return;
    const list = open.slice(0, 20).map((record) => {
      const { id, kind, status, heldBy, attempt, milestone, credited, sweep } = record;
      return `${id} ${kind} ${status} heldBy=${heldBy} attempt=${attempt} milestone=${milestone}/${credited} sweep=${sweep}`;
    });
    throw new Error(`nothing moves and ${open.length} signatures are not settled:\n${list.join("\n")}`);
  }

  /** Drains and demands that everything is settled. */
  settle(script: Script = byName): void {
    this.drain(script);
    this.expectSettled();
  }
}

/** What waits for something inside it, as the store port words it. */
function isUnsettled({ kind, status, milestone }: SignatureRecord): boolean {
  const ended = milestone === MILESTONE.ENDED || milestone === MILESTONE.CLEANED;
  return ended || (kind !== "task" && status === "RUNNING");
}

/** Orders by place. */
function bySlot(one: SignatureRecord, other: SignatureRecord): number {
  return one.slot - other.slot;
}
