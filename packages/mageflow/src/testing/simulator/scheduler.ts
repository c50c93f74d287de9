import type { Random } from "./random.ts";
import type { Trace } from "./trace.ts";

/** Who waits: a simulated process, or the world itself. */
export interface Actor {
  readonly name: string;
  dead: boolean;
  frozen: boolean;
}

export interface EventOptions {
  /** Virtual time before which it cannot happen; now when it is left out. */
  readonly due?: number;
  /** Waits for the one transaction that may be open at a time. */
  readonly exclusive?: boolean;
}

interface Pending extends EventOptions {
  readonly actor: Actor;
  readonly label: string;
  readonly resolve: () => void;
  readonly due: number;
}

/** Everybody is waiting and nothing will ever happen again. */
export class Deadlock extends Error {
  override readonly name = "Deadlock";
}

/**
 * Owns every await at the seams. All microtasks run dry, then one pending event is drawn and released; when all that is
 * left lies in the future, virtual time jumps there.
 */
export class Scheduler {
  now = 0;
  /** Events released so far. */
  released = 0;
  /** Events released since virtual time last moved. */
  sinceMove = 0;
  transactionOpen = false;
  readonly #random: Random;
  readonly #trace: Trace;
  #ready: Pending[] = [];
  #later: Pending[] = [];

  constructor(random: Random, trace: Trace) {
    this.#random = random;
    this.#trace = trace;
  }

  /** Resolves when the scheduler lets it; for a dead process never. */
  wait(actor: Actor, label: string, options: EventOptions = {}): Promise<void> {
    return new Promise((resolve) => {
      if (!actor.dead) this.#add({ actor, label, resolve, ...options, due: options.due ?? this.now });
    });
  }

  /** Like {@link wait}, and ends at once when the signal aborts. */
  sleep(actor: Actor, label: string, due: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (actor.dead) return;
      if (signal?.aborted === true) return resolve();
      const end = (): void => {
        this.#drop((other) => other === event);
        signal?.removeEventListener("abort", end);
        if (!actor.dead) resolve();
      };
      const event: Pending = { actor, label, resolve: end, due };
      this.#add(event);
      signal?.addEventListener("abort", end, { once: true });
    });
  }

  /** What a dead process was waiting for never happens. */
  forget(actor: Actor): void {
    this.#drop((event) => event.actor === actor);
  }

  /** Nothing can happen before time moves. */
  get quiet(): boolean {
    return this.#eligible().length === 0;
  }

  /** Lets all microtasks run dry. */
  async drain(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /**
   * Lets one thing happen, or time jump.
   *
   * @throws Deadlock when there is nothing left.
   */
  release(): void {
    const eligible = this.#eligible();
    if (eligible.length === 0) return this.#jump();
    const event = eligible.length === 1 ? eligible[0]! : this.#random.pick(eligible);
    this.#ready.splice(this.#ready.indexOf(event), 1);
    this.released++;
    this.sinceMove++;
    this.#trace.add(`${this.now} ${event.actor.name} ${event.label}`);
    event.resolve();
  }

  #eligible(): Pending[] {
    return this.#ready.filter(
      ({ actor, exclusive }) => !actor.frozen && !(exclusive === true && this.transactionOpen),
    );
  }

  #jump(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { due } of this.#later) if (due < next) next = due;
    if (next === Number.POSITIVE_INFINITY) throw new Deadlock("nothing is left that could happen");
    this.now = next;
    this.sinceMove = 0;
    this.#ready.push(...this.#later.filter(({ due }) => due <= next));
    this.#later = this.#later.filter(({ due }) => due > next);
  }

  #add(event: Pending): void {
    (event.due <= this.now ? this.#ready : this.#later).push(event);
  }

  #drop(gone: (event: Pending) => boolean): void {
    this.#ready = this.#ready.filter((event) => !gone(event));
    this.#later = this.#later.filter((event) => !gone(event));
  }
}
