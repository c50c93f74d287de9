import { setTimeout as sleep } from "node:timers/promises";
import type { Ledger } from "../chaos/ledger.ts";
import { type Child, startChild } from "../chaos/process.ts";
import type { Random } from "../chaos/random.ts";
import type { Violation } from "../chaos/violation.ts";

/** From the start of a process to the goodbye of the one before it (ms). Starting takes some 300 to 600. */
const OVERLAP_MS = [0, 900] as const;
/** Of all processes, those that are told to stop soon (ms) and whether they are at work or not. */
const HASTY = 0.2;
const HASTE_MS = [0, 150] as const;

/** Worker processes that follow one another: the next boots while the one before drains. */
export class Rollout {
  /** Those that were told to stop before they were at work. */
  early = 0;
  readonly #args: readonly string[];
  readonly #ledger: Ledger;
  readonly #report: (found: Violation) => void;
  readonly #ends: Promise<void>[] = [];
  readonly #ready = new WeakSet<Child>();
  #current: Child;

  constructor(args: readonly string[], ledger: Ledger, report: (found: Violation) => void) {
    this.#args = args;
    this.#ledger = ledger;
    this.#report = report;
    this.#current = this.#start();
  }

  /** Starts the next process, and says goodbye to the current one: before, while or after the next one comes to work. */
  async restart(draw: Random): Promise<void> {
    const hasty = draw.chance(HASTY);
    if (!hasty) await this.#current.line("ready");
    const next = this.#start();
    const [least, most] = hasty ? HASTE_MS : OVERLAP_MS;
    await sleep(draw.whole(least, most));
    this.#dismiss();
    this.#current = next;
  }

  /** Says goodbye to the last one, and waits until all are gone. */
  async end(): Promise<void> {
    this.#dismiss();
    await Promise.all(this.#ends);
  }

  #dismiss(): void {
    if (!this.#ready.has(this.#current)) this.early++;
    this.#current.process.kill("SIGTERM");
  }

  #start(): Child {
    const child = startChild(new URL("./worker-process.ts", import.meta.url), this.#args);
    void child.line("ready").then((line) => line !== null && this.#ready.add(child));
    this.#ends.push(child.ended.then((end) => this.#judge(child, end)));
    return child;
  }

  /** A worker ends well and in silence: whatever had to be mended it would have warned of. */
  #judge(child: Child, { code, signal, errors }: Awaited<Child["ended"]>): void {
    this.#ledger.add({ what: "dead", pid: child.pid });
    // Node has not come to the point yet at which a program may say what it does at a SIGTERM.
    const unborn = signal === "SIGTERM" && !this.#ready.has(child);
    if ((code === 0 || unborn) && errors === "") return;
    this.#report({
      kind: "crashed",
      detail: `worker ${child.pid} ended with ${code ?? signal}: ${errors.slice(-2_000)}`,
    });
  }
}
