import { setTimeout as sleep } from "node:timers/promises";
import { checkMended } from "./check-mended.ts";
import type { Ledger } from "./ledger.ts";
import { type Child, startChild } from "./process.ts";
import type { Random } from "./random.ts";
import type { Violation } from "./violation.ts";

const WORKERS = 4;
/** Starting processes is most of what a round costs, and on a busy machine rounds are long. */
const MOST_KILLS = 10;
/** A process that is frozen inside a transaction holds the others up until it goes on: more would be a round of waiting. */
const MOST_FREEZES = 3;
/** With a lease of 1 s: frozen for longer than it. */
const FREEZE_MS = [1_200, 1_700] as const;

/** What the nemesis has done. */
export interface Faults {
  kills: number;
  freezes: number;
  goodbyes: number;
  submitterKills: number;
  steererKills: number;
}

/** Worker processes, each replaced as soon as it is gone, and what is done to them. */
export class Fleet {
  readonly faults: Omit<Faults, "submitterKills" | "steererKills"> = { kills: 0, freezes: 0, goodbyes: 0 };
  readonly #args: readonly string[];
  readonly #ledger: Ledger;
  readonly #report: (found: Violation) => void;
  /** Those that may be chosen from: alive, moving, and not told to stop. */
  #free: Child[] = [];
  readonly #ready = new WeakSet<Child>();
  readonly #alive = new Set<Child>();
  readonly #doomed = new Set<Child>();
  readonly #frozen = new Set<Child>();

  constructor(args: readonly string[], ledger: Ledger, report: (found: Violation) => void) {
    this.#args = args;
    this.#ledger = ledger;
    this.#report = report;
  }

  /** Brings the fleet to its full number. */
  fill(): void {
    while (this.#free.length < WORKERS) this.#start();
  }

  /** Does one thing to one worker that is at work, should there be one. */
  strike(draw: Random): void {
    const busy = this.#free.filter((child) => this.#ready.has(child));
    if (busy.length === 0 || this.faults.kills >= MOST_KILLS) return;
    const victim = draw.pick(busy);
    this.#free = this.#free.filter((child) => child !== victim);
    const dice = draw.next();
    if (dice < 0.65 || (dice < 0.9 && this.faults.freezes === MOST_FREEZES)) this.#kill(victim);
    else if (dice < 0.9) void this.#freeze(victim, draw.whole(...FREEZE_MS), draw.chance(0.3));
    else {
      this.faults.goodbyes++;
      this.#doomed.add(victim);
      victim.process.kill("SIGTERM");
    }
    this.fill();
  }

  /** Lets the frozen go on. */
  thaw(): void {
    for (const child of this.#frozen) child.process.kill("SIGCONT");
  }

  /** Ends all of them. */
  async end(): Promise<void> {
    const all = [...this.#alive];
    for (const child of all) {
      this.#doomed.add(child);
      child.process.kill("SIGKILL");
    }
    await Promise.all(all.map(({ ended }) => ended));
  }

  #start(): void {
    const child = startChild(new URL("./worker-process.ts", import.meta.url), this.#args);
    this.#free.push(child);
    this.#alive.add(child);
    void child.line("ready").then(() => this.#ready.add(child));
    void child.ended.then(({ code, signal, errors }) => {
      this.#alive.delete(child);
      this.#ledger.add({ what: "dead", pid: child.pid });
      checkMended(errors, this.#report);
      if (!this.#doomed.has(child) || (code !== null && code !== 0)) {
        this.#report({
          kind: "crashed",
          detail: `worker ${child.pid} ended with ${code ?? signal}: ${errors.slice(-2_000)}`,
        });
      }
    });
  }

  #kill(victim: Child): void {
    this.faults.kills++;
    this.#doomed.add(victim);
    victim.process.kill("SIGKILL");
  }

  async #freeze(victim: Child, ms: number, forGood: boolean): Promise<void> {
    this.faults.freezes++;
    this.#ledger.add({ what: "frozen", pid: victim.pid });
    this.#frozen.add(victim);
    victim.process.kill("SIGSTOP");
    await sleep(ms);
    if (forGood && this.#alive.has(victim)) this.#kill(victim);
    else {
      victim.process.kill("SIGCONT");
      this.#free.push(victim);
    }
    this.#frozen.delete(victim);
  }
}
