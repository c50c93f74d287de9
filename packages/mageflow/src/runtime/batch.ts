import { cleanupFailure } from "../core/cleanup-failure.ts";
import { choose, type Demand } from "../core/choose.ts";
import { decide } from "../core/decide.ts";
import { type Entry, entriesOf, type Progress, tells } from "../core/event.ts";
import type { Spec } from "../core/plan.ts";
import type { SignatureRecord, SpecRow } from "../core/record.ts";
import type { ResumeReport } from "../core/resume-report.ts";
import type { Addressed, Credit, Decision, Signal } from "../core/signal.ts";
import { belongs, type SweepOf, told } from "../core/sweep.ts";
import type { View } from "../core/view.ts";
import type {
  AuditRow,
  Changes,
  DraftStep,
  LogLine,
  Stamp,
  Ticket,
  Tombstone,
  Transaction,
  WorkerRow,
} from "../ports/store.ts";
import { UnreadableError, warnOfLeftOut } from "../ports/unreadable.ts";
import { SpecCache } from "./spec-cache.ts";

/** A record as it was before the transaction (null when the transaction creates it) and as it is now. */
export interface Change {
  readonly before: SignatureRecord | null;
  readonly now: SignatureRecord;
}

interface Loaded {
  before: SignatureRecord | null;
  now: SignatureRecord;
  locked: boolean;
}

/** Records after which a transaction opens no more windows: containers in containers would multiply them. */
const FULL = 4_000;

type Take = NonNullable<Decision["take"]>;

/** What a transaction writes besides records. */
interface Extras {
  logs: LogLine[];
  steps: { id: string; generation: number; name: string; result: string }[];
  checkpoints: { id: string; generation: number; body: string }[];
  progress: { id: string; generation: number; progress: Progress }[];
  workers: WorkerRow[];
  audit: AuditRow[];
  tombstones: Tombstone[];
  tickets: Ticket[];
  reports: ResumeReport[];
}

/**
 * The unit of work of one transaction: load → decide → write. Records are loaded once and decided on in memory; signals
 * travel in rounds, each round loading all its targets at once, so that the number of statements grows with the
 * depth of what changes and not with its breadth.
 */
export class Batch implements View {
  readonly now: number;
  readonly #tx: Transaction;
  readonly #specs: SpecCache;
  readonly #loaded = new Map<string, Loaded>();
  readonly #changed = new Set<Loaded>();
  /** Ids in the order of their last change that the journal tells of. */
  readonly #told = new Set<string>();
  readonly #bulk: SignatureRecord[] = [];
  #created = 0;
  /** What it has locked before anything else, by which a store keeps what goes on below that apart from orders. */
  #first: ReadonlySet<string> | null = null;
  /** Swarms that get items in this transaction: no window shows them before it has committed. */
  readonly #grown = new Set<string>();
  readonly #newSpecs: SpecRow[] = [];
  /** Specs that this transaction creates: others see them when it has committed, and not at all when it fails. */
  readonly #ownSpecs = new SpecCache();
  readonly #extras: Extras = {
    logs: [],
    steps: [],
    checkpoints: [],
    progress: [],
    workers: [],
    audit: [],
    tombstones: [],
    tickets: [],
    reports: [],
  };
  readonly #entries = new Map<string, Entry[]>();
  readonly #drafts: DraftStep[] = [];
  /** Callbacks of this transaction whose specs are still to be loaded. */
  #born: SignatureRecord[] = [];
  #queue = new Map<string, Signal[]>();
  /** Windows that were asked for, by who asks; the latest wish counts. */
  #takes = new Map<string, Take>();

  constructor(tx: Transaction, specs: SpecCache) {
    this.#tx = tx;
    this.#specs = specs;
    this.now = tx.now;
  }

  get tx(): Transaction {
    return this.#tx;
  }

  get(id: string): SignatureRecord | undefined {
    return this.#loaded.get(id)?.now;
  }

  /** True for what is being removed: nothing happens to it any more. */
  isRemoved({ rootId }: SignatureRecord): boolean {
    return this.get(rootId)?.deletion?.purged === true;
  }

  /** True for a record that is as this transaction found it. */
  isAsFound(id: string): boolean {
    const loaded = this.#loaded.get(id);
    return loaded !== undefined && loaded.before === loaded.now;
  }

  spec(record: SignatureRecord): Spec {
    const spec = this.#specOf(record);
    if (spec === undefined) throw withoutSpec(record);
    return spec;
  }

  #specOf(record: SignatureRecord): Spec | undefined {
    return this.#specs.get(record) ?? this.#ownSpecs.get(record);
  }

  /**
   * Locked records that can be decided on. Those that miss something around them, because somebody has damaged the store, are left out of
   * work on many, so that they cost nobody else anything.
   */
  sound(records: readonly SignatureRecord[]): SignatureRecord[] {
    return records.filter((record) => {
      const flaw = this.#flaw(record);
      if (flaw !== null) warnOfLeftOut(flaw);
      return flaw === null;
    });
  }

  #flaw(record: SignatureRecord): UnreadableError | null {
    for (let at = record; ;) {
      if (this.#specOf(at) === undefined) return withoutSpec(at);
      if (at.parentId === null) return null;
      const parent = this.get(at.parentId);
      if (parent === undefined)
        return new UnreadableError(at.id, `"${at.parentId}", in which it stands, is missing or unreadable`);
      at = parent;
    }
  }

  /** Locks records, with their ancestors and specs read beside them. Returns the ids that are busy. */
  async lock(ids: Iterable<string>, options: { wait: boolean }): Promise<readonly string[]> {
    const missing: string[] = [];
    for (const id of new Set(ids)) {
      if (this.#loaded.get(id)?.locked !== true) missing.push(id);
    }
    if (missing.length === 0) return [];
    this.#first ??= new Set(missing);
    const { records, busy } = await this.#tx.lock(missing.sort(), options);
    for (const record of records) this.#loaded.set(record.id, { before: record, now: record, locked: true });
    await this.#surround(records);
    return busy;
  }

  /** Reads records without a lock, unless they are here already. */
  async read(ids: Iterable<string>): Promise<SignatureRecord[]> {
    const all = [...ids];
    const missing = all.filter((id) => !this.#loaded.has(id));
    if (missing.length > 0) {
      for (const record of await this.#tx.read(missing)) {
        this.#loaded.set(record.id, { before: record, now: record, locked: false });
      }
    }
    return all.flatMap((id) => this.get(id) ?? []);
  }

  /** Takes locked records in, with what surrounds them; those that this transaction has changed stay as they are. */
  async #admit(records: readonly SignatureRecord[]): Promise<void> {
    for (const record of records) {
      const loaded = this.#loaded.get(record.id);
      if (loaded?.locked !== true) this.#loaded.set(record.id, { before: record, now: record, locked: true });
    }
    await this.#surround(records);
  }

  /** Loads ancestors level by level, and the specs of all. */
  async #surround(records: readonly SignatureRecord[]): Promise<void> {
    let level: readonly SignatureRecord[] = records;
    while (level.length > 0) {
      const above = new Set<string>();
      for (const { parentId } of level) if (parentId !== null) above.add(parentId);
      await this.loadSpecs(level);
      level = await this.read(above);
    }
  }

  async loadSpecs(records: Iterable<SignatureRecord>): Promise<void> {
    const missing = this.#specs.missing(records).filter((ref) => !this.#ownSpecs.has(ref));
    if (missing.length === 0) return;
    for (const row of await this.#tx.specs(missing)) this.#specs.add(row);
  }

  /** Queues a signal for the coming rounds. */
  send({ to, signal }: Addressed): void {
    const waiting = this.#queue.get(to);
    if (waiting === undefined) this.#queue.set(to, [signal]);
    else waiting.push(signal);
  }

  /**
   * Decides at once on a locked record. What follows for others waits for {@link settle}.
   *
   * @throws what the decider throws; nothing has changed then.
   */
  tell(record: SignatureRecord, signal: Signal): SignatureRecord {
    const decision = decide(this, record, signal);
    if (signal.type === "add") this.#grown.add(record.id);
    this.put(decision.record);
    for (const born of decision.insert) {
      this.insert(born);
      this.#born.push(born);
    }
    for (const addressed of decision.send) this.send(addressed);
    if (decision.take !== null) this.#takes.set(record.id, decision.take);
    return decision.record;
  }

  put(record: SignatureRecord): void {
    const loaded = this.#loaded.get(record.id)!;
    if (record === loaded.now) return;
    if (tells(loaded.now, record)) this.#tellLast(record.id);
    if (loaded.before === loaded.now) this.#changed.add(loaded);
    loaded.now = record;
  }

  #tellLast(id: string): void {
    this.#told.delete(id);
    this.#told.add(id);
  }

  /** How many records this transaction creates. */
  get born(): number {
    return this.#created;
  }

  insert(record: SignatureRecord): void {
    this.#created++;
    const loaded = { before: null, now: record, locked: true };
    this.#loaded.set(record.id, loaded);
    this.#changed.add(loaded);
    if (record.parentId === null) this.#tellLast(record.id);
  }

  /** A root with this key that this transaction creates. */
  async rootWithKey(key: string): Promise<SignatureRecord | null> {
    const stored = await this.#tx.byKey(key);
    if (stored !== null && (this.get(stored.id) ?? stored).key === key) return stored;
    for (const { before, now } of this.#loaded.values()) {
      if (before === null && now.role === "root" && now.key === key) return now;
    }
    return null;
  }

  /** Stores records that nothing else in this transaction looks at. */
  insertBulk(records: readonly SignatureRecord[]): void {
    for (const record of records) this.#bulk.push(record);
  }

  addSpec(row: SpecRow): void {
    this.#ownSpecs.add(row);
    this.#newSpecs.push(row);
  }

  /** Specs that it creates. */
  get newSpecs(): readonly SpecRow[] {
    return this.#newSpecs;
  }

  draft(step: DraftStep): void {
    this.#drafts.push(step);
  }

  get extras(): Extras {
    return this.#extras;
  }

  note(rootId: string, entry: Entry): void {
    const entries = this.#entries.get(rootId);
    if (entries === undefined) this.#entries.set(rootId, [entry]);
    else entries.push(entry);
  }

  /**
   * Delivers signals in rounds until none is left. Windows are given when everything has been heard: who asks knows then of all that has
   * ended in this transaction.
   */
  async settle(): Promise<void> {
    while (this.#queue.size > 0 || this.#takes.size > 0) {
      if (this.#queue.size > 0) await this.#deliver();
      else await this.#giveWindows();
    }
  }

  async #deliver(): Promise<void> {
    const round = this.#queue;
    this.#queue = new Map();
    const born = this.#born;
    this.#born = [];
    await this.loadSpecs(born);
    await this.#lockRound(round);
    for (const [id, signals] of round) {
      for (const signal of merged(signals)) {
        const record = this.get(id);
        if (record !== undefined && !this.isRemoved(record)) this.tell(record, signal);
      }
    }
  }

  async #giveWindows(): Promise<void> {
    const takes = this.#takes;
    this.#takes = new Map();
    for (const [id, take] of takes) {
      // What asks for a window says so in its record too: a window that is not given now is taken by a later transaction.
      // One that is not asked for any more, because of a later signal, is given to nobody.
      const record = this.get(id)!;
      const asks = record.sweep === take.what && !this.#mayMiss(record);
      if (asks && this.#loaded.size < FULL && !this.#grown.has(id)) await this.#take(id, take);
    }
  }

  /**
   * Locks the targets of a round. A container that another transaction holds is not waited for when all it is to get is
   * credit: its children stay marked as not credited, and whoever comes next takes their credits.
   */
  async #lockRound(round: Map<string, Signal[]>): Promise<void> {
    const credits: string[] = [];
    const others: string[] = [];
    for (const [id, signals] of round) {
      (signals.every((signal) => signal.type === "credit") ? credits : others).push(id);
    }
    await this.lock(others, { wait: true });
    for (const busy of await this.lock(credits, { wait: false })) {
      for (const signal of round.get(busy)!) if (signal.type === "credit") this.#defer(signal.credits);
      round.delete(busy);
    }
  }

  #defer(credits: readonly Credit[]): void {
    for (const { child, from } of credits) {
      const record = this.get(child.id)!;
      if (record.credited > from) this.put({ ...record, credited: from });
    }
  }

  /**
   * True for a swarm that is to stop what it has started, past its limit, when others may be starting something below it that they have
   * read it above as it was. Whatever else stops is locked first by who gives the order, or stands below such a one.
   */
  #mayMiss({ id, sweep, stop }: SignatureRecord): boolean {
    return sweep === "interrupt" && stop === null && this.#first?.has(id) !== true;
  }

  /** Gives the next window of a sweep its signal, and tells the sweeper how many there were. */
  async #take(sweeper: string, take: Take): Promise<void> {
    const until = this.get(sweeper)!.stop?.until;
    const window = await this.#window({ id: sweeper, what: take.what, until }, take.limit);
    const signal = told(this.get(sweeper)!, take.what, this.now);
    for (const { id } of window) this.send({ to: id, signal });
    this.tell(this.get(sweeper)!, { type: "took", ...take, count: window.length });
  }

  /** The store's window, with what this transaction has changed as it is now. */
  async #window(sweep: SweepOf, limit: number): Promise<SignatureRecord[]> {
    const window: SignatureRecord[] = [];
    let changed = 0;
    for (const { before, now } of this.#changed) {
      if (before !== null && belongs(before, sweep)) changed++;
      if (belongs(now, sweep)) window.push(now);
    }
    const stored = await this.#tx.window({ ...sweep, limit: limit + changed });
    await this.#admit(stored);
    for (const record of stored) {
      const { before, now } = this.#loaded.get(record.id)!;
      if (before === now) window.push(now);
    }
    if (sweep.what === "start") window.sort((a, b) => b.priority - a.priority || a.slot - b.slot);
    return window.slice(0, limit);
  }

  /**
   * Claims ready tasks for a worker: those of the store and those that became ready in this transaction, in the order of
   * their turn. Without `ask` the store is known to have none. Returns the claimed ones, and whether more may be ready than were taken.
   */
  async claim(demand: Demand, ask: boolean): Promise<{ claimed: SignatureRecord[]; more: boolean }> {
    const stored = ask ? await this.#ready(demand) : [];
    const ready = new Set(stored.map(({ id }) => id));
    for (const { now } of this.#changed) if (now.status === "READY") ready.add(now.id);
    const candidates = this.sound([...ready].map((id) => this.get(id)!)).filter(
      ({ status }) => status === "READY",
    );
    const chosen = choose(candidates, demand);
    const claimed: SignatureRecord[] = [];
    for (const record of chosen) {
      const now = this.tell(record, { type: "claim", workerId: demand.workerId });
      if (now.status === "RUNNING") claimed.push(now);
    }
    await this.settle();
    return { claimed, more: chosen.length === demand.slots || chosen.length > claimed.length };
  }

  /** Those that the store has, and as many more as are left out. */
  async #ready(demand: Demand): Promise<SignatureRecord[]> {
    for (let more = 0; ;) {
      const tasks = new Map([...demand.tasks].map(([name, room]) => [name, room + more]));
      const stored = await this.#tx.ready({ ...demand, slots: demand.slots + more, tasks });
      await this.#admit(stored);
      const left = stored.length - this.sound(stored).length;
      if (left <= more) return stored;
      more = left;
    }
  }

  /** Whether this transaction leaves tasks that a worker may take. */
  hasReady(): boolean {
    for (const { now } of this.#changed) if (now.status === "READY") return true;
    return false;
  }

  /** Everything that has changed, by record: before (null when new) and now. */
  changed(): readonly Change[] {
    return [...this.#changed];
  }

  /** What is to be written, or null when nothing has changed. */
  changes(stamp: Stamp): Changes | null {
    const insert: SignatureRecord[] = this.#bulk;
    const update: SignatureRecord[] = [];
    for (const { before, now } of this.#changed) {
      (before === null ? insert : update).push(now);
    }
    for (const id of this.#told) {
      const { before, now } = this.#loaded.get(id)!;
      for (const entry of entriesOf(before, now)) this.note(now.rootId, entry);
      const failure = cleanupFailure(before, now);
      if (failure !== null) this.#extras.logs.push({ ...failure, at: this.now });
    }
    const extras = Object.values(this.#extras) as unknown[][];
    const sizes = [insert, update, this.#newSpecs, this.#drafts, ...extras];
    if (sizes.every((list) => list.length === 0) && this.#entries.size === 0) return null;
    return {
      insert,
      update,
      specs: this.#newSpecs,
      journal: this.#entries,
      ...this.#extras,
      drafts: this.#drafts,
      stamp,
    };
  }
}

function withoutSpec({ id, spec }: SignatureRecord): UnreadableError {
  return new UnreadableError(id, `its spec "${spec}" is missing, or is not JSON`);
}

/** Credits of one round come as one signal, after everything else but the answers to an order to stop, which come with a credit. */
function merged(signals: readonly Signal[]): readonly Signal[] {
  if (signals.length === 1) return signals;
  const credits = signals.flatMap((signal) => (signal.type === "credit" ? signal.credits : []));
  if (credits.length === 0) return signals;
  const answers = signals.filter(({ type }) => type === "halted");
  const others = signals.filter(({ type }) => type !== "credit" && type !== "halted");
  return [...others, { type: "credit", credits }, ...answers];
}
