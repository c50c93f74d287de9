import { Redis } from "ioredis";

/** Redis answers within this time (ms), or counts as gone. */
const PATIENCE_MS = 2_000;

/**
 * The connection of one engine, and what is known of it. It is opened when it is first needed, and comes back by itself. Commands wait for
 * it, so whoever cannot wait asks within {@link within}.
 */
export class Link {
  readonly client: Redis;
  #isUp = true;

  constructor(given: string | Redis) {
    // BullMQ demands that its commands wait for as long as it takes.
    const options = { maxRetriesPerRequest: null, lazyConnect: false };
    this.client = typeof given === "string" ? new Redis(given, options) : given.duplicate(options);
    // Every operation on workers, queues and jobs has its share of listeners here.
    this.client.setMaxListeners(0);
    this.client.on("ready", () => (this.#isUp = true));
    this.client.on("close", () => (this.#isUp = false));
    // What goes wrong is known from what could not be done; without a listener it would be printed.
    this.client.on("error", () => (this.#isUp = false));
  }

  /** False from when something could not be done until something could. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Does something that takes no longer than Redis should. @throws Error */
  async within<T>(work: () => Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`Redis did not answer within ${PATIENCE_MS} ms`)),
      PATIENCE_MS,
    );
    try {
      const done = work();
      done.catch(() => {});
      const result = await Promise.race([done, late.promise]);
      this.#isUp = true;
      return result;
    } catch (error) {
      this.#isUp = false;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.client.disconnect();
  }
}
