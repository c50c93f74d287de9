import { memoryStore } from "../../stores/memory/memory-store.ts";
import type { IdSource } from "../../ports/clock.ts";
import type { SignatureRecord } from "../../core/record.ts";
import type { Changes, Store, WorkerRow } from "../../ports/store.ts";
import { verifyAudit } from "../../runtime/audit.ts";
import type { Handler } from "../../runtime/handler.ts";
import type { WorkerOptions } from "../../runtime/worker-options.ts";
import { Effects } from "./effects.ts";
import type { FaultMix } from "./faults.ts";
import { callbacks } from "./invariants/callbacks.ts";
import { cleanups } from "./invariants/cleanups.ts";
import { counters } from "./invariants/counters.ts";
import { fence } from "./invariants/fence.ts";
import type { Invariant, Violation } from "./invariants/invariant.ts";
import { halts } from "./invariants/halts.ts";
import { journal } from "./invariants/journal.ts";
import { locks } from "./invariants/locks.ts";
import { order } from "./invariants/order.ts";
import { outcomes } from "./invariants/outcomes.ts";
import { removal } from "./invariants/removal.ts";
import { suspension } from "./invariants/suspension.ts";
import { twins } from "./invariants/twins.ts";
import { autoResume, type AutoResumeOptions } from "../../runtime/auto-resume.ts";
import { Process } from "./process.ts";
import { random, type Random } from "./random.ts";
import { type Actor, Scheduler } from "./scheduler.ts";
import { handlerOf, type Script } from "./script.ts";
import { isOver, Shadow } from "./shadow.ts";
import { SimulatedPlace } from "./simulated-engine.ts";
import { simulatedStore, type StoreWorld } from "./simulated-store.ts";
import { Trace } from "./trace.ts";
import { breaches } from "./verifying.ts";
import { virtualClock } from "./virtual-clock.ts";

const INVARIANTS: readonly Invariant[] = [
  outcomes,
  callbacks,
  cleanups,
  twins,
  counters,
  order,
  fence,
  suspension,
  halts,
  removal,
  locks,
  journal,
];

/** So many events at one instant are a loop that does not wait. */
const MOST_AT_ONCE = 20_000;
/** Time (ms) that the rounds of a healthy world take to discard what was removed. */
const DISCARD_MS = 5_000;
/** Commits from one look of `verify` at the store to the next: it costs more than a commit. */
const VERIFY_EVERY = 10;
const EPOCH_MS = 1_700_000_000_000;

/** Where a process is to die: at the n-th boundary of the run. */
export type CrashPoints = ReadonlySet<number>;

/** The processes of a simulation, the store they share, the faults between them, and the eyes of the checker. */
export class World implements StoreWorld {
  readonly trace: Trace;
  readonly scheduler: Scheduler;
  readonly inner: Store;
  readonly shadow: Shadow = new Shadow();
  readonly engine: SimulatedPlace;
  readonly effects: Effects;
  readonly violations: Violation[] = [];
  readonly processes: Process[] = [];
  /** The world's own doings: faults, orders, restarts. */
  readonly self: Actor = { name: "world", dead: false, frozen: false };
  readonly scripts: Map<string, Script> = new Map();
  readonly crashPoints: CrashPoints;
  /** Makes the code of a task; scripts unless somebody else wants to play its part. */
  handlerFor: (name: string, script: Script, process: Process) => Handler = (name, script, process) =>
    handlerOf(name, script, process, this.effects);
  /** What the next process says of tasks that lose their worker. */
  rules: () => AutoResumeOptions = () => ({});
  storeDown = false;
  boundaries = 0;
  crashes = 0;
  mix: FaultMix;
  /** What follows when a process dies, apart from everything else. */
  onCrash: (() => void) | null = null;
  #damaged = false;
  /** Whether `verify` has been shown the damage. */
  #noticed = false;
  /** Commits until `verify` looks at the store again. */
  #unverified: number;
  #storeAhead = 0;
  #born = 0;
  #ids = 0;
  readonly #draw: Random;

  constructor(seed: number, mix: FaultMix, options: { trace?: boolean; crashPoints?: CrashPoints } = {}) {
    this.trace = new Trace(options.trace === true);
    this.crashPoints = options.crashPoints ?? new Set();
    this.mix = mix;
    this.scheduler = new Scheduler(random(seed, "schedule"), this.trace);
    this.#draw = random(seed, "calls");
    this.engine = new SimulatedPlace(this, seed);
    this.#unverified = random(seed, "verify").whole(1, VERIFY_EVERY);
    this.inner = memoryStore({ now: () => this.storeTime });
    this.effects = new Effects(this.shadow, (invariant, what) => this.report(invariant, what));
  }

  get storeTime(): number {
    return EPOCH_MS + Math.floor(this.scheduler.now) + this.#storeAhead;
  }

  /** The store's clock steps forwards. */
  stepClock(ms: number): void {
    this.trace.add(`clock +${ms}`);
    this.#storeAhead += ms;
  }

  report(invariant: string, what: string): void {
    this.trace.add(`VIOLATION ${invariant}: ${what}`);
    if (this.violations.length < 10) this.violations.push({ invariant, what });
  }

  register(name: string, script: Script): void {
    this.scripts.set(name, script);
    for (const process of this.processes) this.#give(process, name, script);
  }

  #give(process: Process, name: string, script: Script): void {
    process.handlers.set(name, this.handlerFor(name, script, process));
  }

  /** A new process; it boots by itself, and again when the store refuses. */
  start(worker: WorkerOptions | null): Process {
    const process = new Process(`p${this.#born++}`);
    this.processes.push(process);
    for (const [name, script] of this.scripts) this.#give(process, name, script);
    const ids: IdSource = { next: () => `${(this.#ids++).toString(36).padStart(6, "0")}` };
    const clock = virtualClock(this.scheduler, process, this.scheduler.now);
    const rules = this.rules();
    const engine = this.engine.engineOf(process);
    const parts = { store: simulatedStore(this, process), engine, clock, ids, autoResume: autoResume(rules) };
    process.boot(parts, worker).catch((error: unknown) => {
      if (process.dead) return;
      this.trace.add(`${process.name} could not boot: ${String(error)}`);
      this.crash(process);
      void this.later(500, "boot again").then(() => this.start(worker));
    });
    return process;
  }

  later(ms: number, label: string): Promise<void> {
    return this.scheduler.wait(this.self, label, { due: this.scheduler.now + ms });
  }

  crash(process: Process): void {
    this.crashes++;
    this.trace.add(`crash ${process.name}`);
    process.die();
    this.scheduler.forget(process);
    this.onCrash?.();
  }

  get alive(): Process[] {
    return this.processes.filter(({ dead }) => !dead);
  }

  /** Those that take orders now. */
  get up(): Process[] {
    return this.processes.filter(({ up, frozen, leaving }) => up && !frozen && !leaving);
  }

  boundary(process: Process, where: string): void {
    const number = this.boundaries++;
    if (this.crashPoints.has(number)) {
      this.trace.add(`boundary ${number} ${where}`);
      this.crash(process);
    }
    for (const each of process.strikes) each.in--;
    const due = process.strikes.filter((each) => each.in <= 0);
    if (due.length === 0) return;
    process.strikes = process.strikes.filter((each) => each.in > 0);
    for (const { strike } of due) if (!process.dead) strike();
  }

  /** How long an answer of the store takes (ms). */
  latency(): number {
    return this.mix.slow > 0 && this.#draw.chance(this.mix.slow) ? this.#draw.whole(1, 800) : 0;
  }

  fault(kind: "busy" | "unknownKept" | "unknownLost" | "busyContainer" | "lateAnswer"): boolean {
    const probability = this.mix[kind];
    return probability > 0 && this.#draw.chance(probability);
  }

  ring(process: Process, listener: () => void): void {
    const { mix } = this;
    if (process.dead) return;
    if (mix.bellLost > 0 && this.#draw.chance(mix.bellLost)) return;
    const times = mix.bellTwice > 0 && this.#draw.chance(mix.bellTwice) ? 2 : 1;
    for (let i = 0; i < times; i++) {
      const late = mix.bellDelayed > 0 && this.#draw.chance(mix.bellDelayed) ? this.#draw.whole(1, 5_000) : 0;
      void this.scheduler.wait(process, "bell", { due: this.scheduler.now + late }).then(listener);
    }
  }

  committed(process: Process, now: number, writes: readonly Changes[]): void {
    const commit = this.shadow.apply(process.name, now, writes);
    this.#unverified--;
    for (const { before, now: after } of commit.changed) {
      this.trace.add(
        `  ${process.name} ${after.id} ${before?.status ?? "-"}>${after.status} e${after.epoch} a${after.attempt} m${after.milestone} c${after.credited}${after.heldBy === null ? "" : ` held ${after.heldBy}`}${after.sweep === null ? "" : ` sweep ${after.sweep}`}${after.generation > 1 ? ` g${after.generation}` : ""}${after.stop === null ? "" : ` ${after.stop.verb}${after.stop.done ? " done" : ""}${after.stop.by === null ? "" : ` by ${after.stop.by}`}`}${after.deletion === null ? "" : ` marked ${after.deletion.action}`}`,
      );
    }
    for (const { id } of commit.condemned) this.trace.add(`  ${process.name} removes ${id}`);
    for (const { name, check } of INVARIANTS) check?.(this.shadow, commit, (what) => this.report(name, what));
  }

  beaten(workerId: string, lease: number): void {
    this.shadow.beat(workerId, this.storeTime + lease);
  }

  /**
   * Writes past all deciders and invariants, as only a bug or a hand in the store can, if the signature is still one that `fits`.
   * Returns whether it was.
   */
  async damage(
    id: string,
    how: {
      fits(record: SignatureRecord): boolean;
      strike(record: SignatureRecord): Partial<SignatureRecord>;
    },
    workers: readonly WorkerRow[],
  ): Promise<boolean> {
    return this.inner.transact(async (tx) => {
      const [record] = (await tx.lock([id], { wait: true })).records;
      if (record === undefined || !how.fits(record)) return false;
      const changes = { update: [{ ...record, ...how.strike(record) }], workers };
      await tx.write(changes);
      this.trace.add(`damage ${id}`);
      this.shadow.apply("damage", tx.now, [changes]);
      this.#damaged = true;
      return true;
    });
  }

  /** `verify` is asked now and then, and whenever something was damaged; from then on at the end only. */
  get #isUnverified(): boolean {
    return this.#damaged ? !this.#noticed : this.#unverified <= 0;
  }

  /** `verify` finds no breach, whatever happens, unless there is one. */
  async #verify(): Promise<void> {
    this.#unverified = VERIFY_EVERY;
    const found = await breaches(this.inner);
    if (this.#damaged && !this.#noticed) {
      this.#noticed = true;
      if (found.length === 0) this.report("verify", "what was damaged is no breach");
      return;
    }
    for (const { id, invariant, message } of found) this.report("verify", `${id} ${invariant}: ${message}`);
  }

  /** A rejection that nobody handles would end a real process. Returns what ends the watch. */
  catchStrays(): () => void {
    const stray = (error: unknown): void =>
      this.report(
        "strays",
        `nobody handles ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    process.on("unhandledRejection", stray);
    return () => process.off("unhandledRejection", stray);
  }

  /** Lets things happen until `over`, or until something is wrong. */
  async run(over: () => boolean): Promise<void> {
    for (;;) {
      await this.scheduler.drain();
      if (this.#isUnverified && !this.scheduler.transactionOpen) await this.#verify();
      if (this.violations.length > 0 || over()) return;
      this.scheduler.release();
      if (this.scheduler.sinceMove > MOST_AT_ONCE) {
        this.report("I14 volume", `${MOST_AT_ONCE} events at one instant: something does not wait`);
      }
    }
  }

  /** Everything stored has come to its very end, and what was cancelled is gone. */
  get settled(): boolean {
    return this.shadow.records.values().every(isOver);
  }

  /** Nothing may ever have lost its reason to wait, unless it was struck. */
  #auditMending(): void {
    const mended = this.processes.reduce((sum, { runtime }) => sum + runtime.reconciler.mended, 0);
    if (mended > 0 && !this.#damaged)
      this.report("I1 reasons", `${mended} signatures had no reason to wait until they were mended`);
    if (mended === 0 && this.#damaged) this.report("I1 reasons", "what was damaged was not noticed");
  }

  /** Compares what the store holds with what was written, and looks at everything once more. */
  async audit(): Promise<void> {
    for (const { name, end } of INVARIANTS) end?.(this.shadow, (what) => this.report(name, what));
    this.#auditMending();
    await this.#verify();
    const stored = await this.inner.scan({ after: null, limit: 1_000_000 });
    if (stored.length !== this.shadow.records.size) {
      this.report("store", `it holds ${stored.length} records, ${this.shadow.records.size} were written`);
    }
    for (const record of stored) {
      if (JSON.stringify(record) !== JSON.stringify(this.shadow.records.get(record.id))) {
        this.report("store", `${record.id} is not what was written`);
      }
    }
    for (const [rootId, told] of this.shadow.journals) {
      if (this.shadow.removed.has(rootId)) continue;
      const journal = await this.inner.journal({ rootId, after: 0, limit: 1_000_000 });
      const gap = journal.findIndex(({ seq }, i) => seq !== i + 1);
      if (gap >= 0) this.report("I13 journal", `the journal of ${rootId} has a gap at ${gap + 1}`);
      const same = journal.every(({ id, type }, i) => told[i]?.id === id && told[i].type === type);
      if (journal.length !== told.length || !same)
        this.report("I13 journal", `the journal of ${rootId} is not what was told`);
    }
    for (const root of this.shadow.records.values()) {
      if (root.role !== "root") continue;
      const told = this.shadow.journals.get(root.id) ?? [];
      const ends = told.filter(
        ({ type, generation }) => type === "settled" && generation === root.generation,
      );
      if (ends.length !== 1) {
        this.report("I13 journal", `the journal of ${root.id} does not tell once that it is settled`);
      }
    }
    await this.#auditRemovals();
  }

  /** Of what was removed nothing is left but the audit trail and a tombstone. */
  async #auditRemovals(): Promise<void> {
    const { removed, tombstones, audit } = this.shadow;
    for (const { id: rootId, role, key } of removed.values()) {
      if (role !== "root") continue;
      const tombstone = await this.inner.tombstone(rootId);
      if (JSON.stringify(tombstone) !== JSON.stringify(tombstones.get(rootId)))
        this.report("I9 remains", `the tombstone of ${rootId} is not what was written`);
      // What was removed a moment ago is still being discarded.
      if (tombstone === null || tombstone.at > this.storeTime - DISCARD_MS) continue;
      const own = [...removed.values()].filter((record) => record.rootId === rootId);
      const left = {
        records: (await this.inner.get(own.map(({ id }) => id))).length,
        journal: await this.inner.lastSeq(rootId),
        logs: (await this.inner.logs({ rootId, after: 0, limit: 1 })).length,
        specs: (await this.inner.specs(own.map(({ spec: id }) => ({ rootId, id })))).length,
        keys: key !== null && (await this.inner.byKey(key))?.id === rootId ? 1 : 0,
        notes: 0,
      };
      for (const { id, generation } of own) {
        for (let at = 1; at <= generation; at++) {
          const { steps, checkpoint, progress } = await this.inner.notes(id, at);
          left.notes += steps.size + (checkpoint === null ? 0 : 1) + (progress === null ? 0 : 1);
        }
      }
      for (const [what, count] of Object.entries(left))
        if (count > 0)
          this.report("I9 remains", `${count} ${what} of ${rootId} are left after it was removed`);
    }
    const rows = await this.inner.audit({ order: "oldest", after: null, limit: 1_000_000 });
    if (JSON.stringify(rows) !== JSON.stringify(audit))
      this.report("I9 remains", "the audit trail is not what was written");
    const { ok } = await verifyAudit(this.inner);
    if (!ok) this.report("I9 remains", "the audit trail does not hold together");
  }
}
