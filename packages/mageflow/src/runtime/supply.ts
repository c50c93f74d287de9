import type { Answer, Carrier, Consumption, Delivery } from "../ports/engine.ts";
import type { Handler } from "./handler.ts";
import { Offers } from "./offers.ts";

interface SupplyParts {
  /** Null when the engine carries nothing. */
  readonly carrier: Carrier | null;
  /** The tasks of the worker; it may grow. */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** Attempts that the worker runs at once. */
  readonly concurrency: number;
  /** In ms. */
  readonly lease: number;
}

/** What an engine brings to a worker, until the worker is done with it. */
export class Supply {
  readonly #parts: SupplyParts;
  readonly #offers = new Offers();
  /** Names of the tasks that are brought. */
  readonly #asked = new Set<string>();
  #consumption: Consumption | null = null;

  constructor(parts: SupplyParts) {
    this.#parts = parts;
  }

  /** What was brought and is not claimed; null when nothing can be brought now, and the worker claims from the store. */
  get offers(): Offers | null {
    return this.#parts.carrier?.reachable === true ? this.#offers : null;
  }

  /** True when nothing that was brought waits, be it claimable now or not. */
  get isEmpty(): boolean {
    return this.#offers.size === 0;
  }

  /** Begins to have tasks brought, and calls `arrived` for each. */
  start(arrived: () => void): void {
    const { carrier, handlers, concurrency, lease } = this.#parts;
    const deliver = (delivery: Delivery): Promise<Answer> => {
      if (!handlers.has(delivery.name)) return Promise.resolve("stale");
      const answer = this.#offers.add(delivery);
      arrived();
      return answer;
    };
    this.#consumption = carrier?.consume({ concurrency, tasks: this.#newTasks(), lease, deliver }) ?? null;
  }

  /** Has those tasks brought too that were registered since. */
  widen(): void {
    if (this.#consumption !== null && this.#asked.size < this.#parts.handlers.size)
      this.#consumption.add(this.#newTasks());
  }

  /** This task has been claimed. Gives what is to be called when its attempt has ended. */
  take(id: string): () => void {
    return this.#offers.take(id);
  }

  /** Takes no more. Resolves when the engine knows, which is after {@link letGo}. */
  close(): Promise<void> {
    this.#offers.close();
    return this.#consumption?.stop() ?? Promise.resolve();
  }

  /** What has been claimed belongs to others now. */
  letGo(): void {
    this.#offers.letGo();
  }

  /** Tasks that nothing was said of to the engine, with the most of each at once. */
  #newTasks(): Map<string, number> {
    const tasks = new Map<string, number>();
    for (const [name, handler] of this.#parts.handlers) {
      if (this.#asked.has(name)) continue;
      this.#asked.add(name);
      const most = this.#parts.concurrency;
      tasks.set(name, Math.min(handler.concurrency ?? most, most));
    }
    return tasks;
  }
}
