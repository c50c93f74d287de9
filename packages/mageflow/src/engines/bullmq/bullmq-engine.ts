import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { Carrier, Consumer, Consumption, Delivery, Engine } from "../../ports/engine.ts";
import { Intake } from "./intake.ts";
import { type JobData, jobId, jobPriority, queueName } from "./job.ts";
import { Link } from "./link.ts";

export interface BullmqOptions {
  /** What all keys in Redis begin with. Default `"mageflow"`, so that nothing of it meets the queues of others, which begin with `bull`. */
  readonly prefix?: string;
  /**
   * What the names of its queues begin with; a task's queue is `<queue>.<task>`. Default `"tasks"`. All processes that share a store use the
   * same, and those of another store another.
   */
  readonly queue?: string;
}

/** Jobs that one command adds or removes. */
const CHUNK = 500;

/** See {@link Engine}. */
export function bullmqEngine(connection: string | Redis, options: BullmqOptions, where: string): Engine {
  return {
    name: `bullmq ${where}`,
    capabilities: {
      source: "deliveries",
      priorities: "tasks of a name",
      globalLimits: true,
      pauses: true,
      delays: true,
      revokes: true,
      redelivers: true,
      keeps: true,
      server: "Redis 6.2 or newer",
    },
    carrier: new BullmqCarrier(connection, options),
  };
}

class BullmqCarrier implements Carrier {
  readonly #connection: string | Redis;
  readonly #prefix: string;
  readonly #queue: string;
  readonly #queues = new Map<string, Queue<JobData>>();
  #link: Link | null = null;

  constructor(connection: string | Redis, { prefix = "mageflow", queue = "tasks" }: BullmqOptions) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#queue = queue;
  }

  get reachable(): boolean {
    return this.#link?.isUp ?? true;
  }

  get fault(): string | null {
    return this.#link?.fault ?? null;
  }

  async publish(deliveries: readonly Delivery[]): Promise<void> {
    await this.#each(deliveries, (queue, some) => queue.addBulk(some.map(jobOf)));
  }

  async revoke(deliveries: readonly Delivery[]): Promise<void> {
    await this.#each(deliveries, (queue, some) =>
      Promise.all(some.map((delivery) => queue.remove(jobId(delivery), { removeChildren: false }))),
    );
  }

  consume(consumer: Consumer): Consumption {
    return new Intake(this.#open(), consumer, {
      prefix: this.#prefix,
      queueOf: (task) => queueName(this.#queue, task),
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#queues.values()].map((queue) => queue.close()));
    this.#queues.clear();
    this.#link?.close();
    this.#link = null;
  }

  /** In chunks, one after the other. */
  async #each(
    deliveries: readonly Delivery[],
    work: (queue: Queue<JobData>, some: readonly Delivery[]) => Promise<unknown>,
  ): Promise<void> {
    const link = this.#open();
    for (const [name, all] of Map.groupBy(deliveries, (delivery) => delivery.name)) {
      const queue = this.#queueOf(name);
      for (let from = 0; from < all.length; from += CHUNK) {
        await link.within(() => work(queue, all.slice(from, from + CHUNK)));
      }
    }
  }

  #open(): Link {
    this.#link ??= new Link(this.#connection, `${this.#prefix}:probe`);
    return this.#link;
  }

  #queueOf(task: string): Queue<JobData> {
    let queue = this.#queues.get(task);
    if (queue === undefined) {
      const connection = this.#open().client;
      queue = new Queue<JobData>(queueName(this.#queue, task), { connection, prefix: this.#prefix });
      queue.on("error", () => {});
      this.#queues.set(task, queue);
    }
    return queue;
  }
}

/** Retries are the store's business, and nothing of what has ended is kept: the store has it. */
function jobOf(delivery: Delivery) {
  const { id, generation, epoch, name, priority, delay } = delivery;
  return {
    name,
    data: { id, generation, epoch },
    opts: {
      jobId: jobId(delivery),
      priority: jobPriority(priority),
      attempts: 1,
      removeOnComplete: true,
      removeOnFail: true,
      ...(delay > 0 ? { delay: Math.ceil(delay) } : {}),
    },
  };
}
