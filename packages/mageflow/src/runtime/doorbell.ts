import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { Committer } from "./committer.ts";

/** A doorbell is rung at least this often (ms), in case nobody did. */
const BELL_MS = 1_000;

/** Rings when something in a workflow may have changed. It listens until it is disposed of. */
export class Doorbell implements Disposable {
  readonly #clock: Clock;
  readonly #leave: readonly (() => void)[];
  #rung: AbortController = new AbortController();

  constructor(
    { store, clock, committer }: { store: Store; clock: Clock; committer: Committer },
    rootId: string,
  ) {
    this.#clock = clock;
    this.#leave = [
      committer.listen(({ changed }) => {
        if (changed.some(({ now }) => now.rootId === rootId)) this.#rung.abort("rung");
      }),
      store.watch(() => this.#rung.abort("rung")),
    ];
  }

  /** Forgets that it has rung: whoever looks after this sees what it rang for. */
  reset(): void {
    this.#rung = new AbortController();
  }

  /** Waits until it has rung since the last {@link reset}. */
  async rung(): Promise<void> {
    await this.#clock.sleep(BELL_MS, this.#rung.signal);
  }

  [Symbol.dispose](): void {
    for (const leave of this.#leave) leave();
  }
}
