/**
 * What carries "this task is ready" to a worker.
 *
 * An engine is a doorbell, and the store is the truth: a worker claims what an engine brings from the store, which has the last word.
 * Losing, repeating, delaying or reordering any delivery changes nothing but speed, so that an engine may be emptied, stopped or taken
 * away at any time. What it has lost is published again by a sweep.
 *
 * Not here: payloads, outcomes, retries. An engine knows ids and names only.
 */
export interface Engine {
  /** For people: kind and place, without secrets. */
  readonly name: string;
  readonly capabilities: EngineCapabilities;
  /** What carries deliveries, or null: workers then claim straight from the store, and nothing is published. */
  readonly carrier: Carrier | null;
}

/** What an engine can do, as the README prints it. */
export interface EngineCapabilities {
  /** Where a worker learns of ready tasks from. */
  readonly source: "store" | "deliveries";
  /** Among which ready tasks those of higher priority come first. */
  readonly priorities: "all tasks" | "tasks of a name" | "none";
  /** Most attempts at once over all workers of a place, set in the engine itself. */
  readonly globalLimits: boolean;
  /** Somebody who knows the engine can hold up tasks of a name by its own means. */
  readonly pauses: boolean;
  /** A delivery that is published ahead of time is held until then. */
  readonly delays: boolean;
  /** What was published can be taken back before it is taken. */
  readonly revokes: boolean;
  /** What a dead worker had been given is brought to another without a sweep. */
  readonly redelivers: boolean;
  /** What was published survives a restart of all processes. */
  readonly keeps: boolean;
  /** It needs a server of its own. */
  readonly server: string | null;
}

/** One readiness of one task. */
export interface Delivery {
  readonly id: string;
  readonly generation: number;
  /** Of the record while it is ready: claiming it makes it one more. */
  readonly epoch: number;
  /** Of the task. Only workers that have a task of this name are given it. */
  readonly name: string;
  /** Any whole number; higher ones first. */
  readonly priority: number;
  /** In so many ms it is to be brought, and not before; 0 for at once. */
  readonly delay: number;
}

/**
 * How a worker answers a delivery: its attempt has `ended`, in whatever way; it was `stale`, as the task is not ready any more, or not as it
 * was when this was published; or it is `returned` unused, for another worker.
 */
export type Answer = "ended" | "stale" | "returned";

/** Who takes deliveries. */
export interface Consumer {
  /** Most deliveries that are not answered, in all. One more of each task may be under way while it fills up. */
  readonly concurrency: number;
  /** Names of the tasks to bring, and the most of each at once. See {@link Consumption.add}. */
  readonly tasks: ReadonlyMap<string, number>;
  /** After so many ms in which nothing was heard of it, what it was brought is for others. They may be given it up to half as much later. */
  readonly lease: number;
  /** Takes a delivery, and answers when it is done with it, which may be after days. Never rejects. */
  deliver(delivery: Delivery): Promise<Answer>;
}

export interface Consumption {
  /** Brings these tasks too from now on. They were not among those before. */
  add(tasks: ReadonlyMap<string, number>): void;

  /**
   * Brings nothing more. Resolves when what was brought has been answered and the engine knows, or a few seconds after the last answer when it
   * cannot be told. Again waits for the same.
   */
  stop(): Promise<void>;
}

/** Carries deliveries between processes that use the same place. */
export interface Carrier {
  /** False while it is known that nothing can be carried: workers then claim from the store themselves, until it is back. */
  readonly reachable: boolean;
  /** For people: why it is not reachable, or null where nothing is known of it. */
  readonly fault: string | null;

  /**
   * Makes these known to consumers, those of one name in the order in which they are given, unless priorities differ. What is known already, by
   * id, generation and epoch, and has not been answered, stays as it is. Settles within seconds whatever happens.
   *
   * @throws Error when some may not be known. They are published again by who calls, or not at all.
   */
  publish(deliveries: readonly Delivery[]): Promise<void>;

  /** Takes back what has not been brought; the rest will be found stale. Settles within seconds. @throws Error */
  revoke(deliveries: readonly Delivery[]): Promise<void>;

  /** Begins to bring deliveries. It connects by itself, and again whenever it has to. */
  consume(consumer: Consumer): Consumption;

  /** Lets go of everything here. What is published stays for others. Consumptions were stopped before. */
  close(): Promise<void>;
}
