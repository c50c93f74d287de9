import type { SignatureRecord } from "../core/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { Committer } from "./committer.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** Time between two sweeps (ms) of a process that has enough to do, and how long what it publishes again has been ready. */
const SWEEP_MS = 5_000;
/** The same for one with an idle worker: what it could have taken has not come to it. */
const IDLE_MS = 1_000;
/** Tasks that one sweep publishes, and of one name at least. */
const PAGE = 2_000;
const OF_A_NAME = 50;

interface RepublisherParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly committer: Committer;
  readonly dispatcher: Dispatcher;
  readonly session: string;
}

/**
 * Publishes again what is ready and was never taken: the process that made it ready may have died before it told the engine, or the engine
 * may have lost it. What the engine has still got stays as it is there. Those whose turn it is come first, so that whatever was lost is
 * published when it is next.
 */
export class Republisher {
  readonly #parts: RepublisherParts;
  #last: number;

  constructor(parts: RepublisherParts) {
    this.#parts = parts;
    this.#last = parts.clock.monotonic();
  }

  async round(): Promise<void> {
    const { store, clock, committer, dispatcher, session } = this.#parts;
    const since = clock.monotonic() - this.#last;
    const age = committer.idle ? IDLE_MS : SWEEP_MS;
    if (since < age * 0.9) return;
    this.#last = clock.monotonic();
    const names = [...(await store.readyNames()).keys()];
    if (names.length === 0) return;
    const each = Math.max(OF_A_NAME, Math.ceil(PAGE / names.length));
    const demand = { workerId: session, slots: PAGE, tasks: new Map(names.map((name) => [name, each])) };
    const lost: SignatureRecord[] = await committer.run({
      locks: [],
      apply: async (batch) => {
        const ready = await batch.tx.ready(demand);
        return ready.filter(({ readyAt }) => readyAt! <= batch.now - age);
      },
    });
    if (lost.length > 0) await dispatcher.again(lost);
  }
}
