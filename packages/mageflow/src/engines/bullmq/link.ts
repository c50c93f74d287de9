import { Redis } from "ioredis";

/** Redis answers within this time (ms), or counts as gone. */
const PATIENCE_MS = 2_000;

/** Time (ms) between two attempts to write something to a Redis that is there and refuses. */
const PROBE_MS = 1_000;

/** What the driver tells. Of several addresses that all refuse it has no message. */
interface Failure extends NodeJS.ErrnoException {
  readonly command?: { readonly name: string };
}

/**
 * The connection of one engine, and what is known of it. It is opened when it is first needed, and comes back by itself. Commands wait for
 * it, so whoever cannot wait asks within {@link within}.
 */
export class Link {
  readonly client: Redis;
  readonly #probe: string;
  #isUp = true;
  /** What went wrong with the connection, until there is one. */
  #fault: string | null = null;
  #probing: NodeJS.Timeout | null = null;

  /** `probe` is a key that it may write. */
  constructor(given: string | Redis, probe: string) {
    this.#probe = probe;
    // BullMQ demands that its commands wait for as long as it takes.
    const options = { maxRetriesPerRequest: null, lazyConnect: false };
    this.client = typeof given === "string" ? new Redis(given, options) : given.duplicate(options);
    // Every operation on workers, queues and jobs has its share of listeners here.
    this.client.setMaxListeners(0);
    this.client.on("ready", () => {
      this.#isUp = true;
      this.#fault = null;
    });
    this.client.on("close", () => (this.#isUp = false));
    this.client.on("error", (error: Failure) => {
      this.#isUp = false;
      this.#fault = error.message || (error.code ?? null);
      // Where the database is refused, the driver would go on with another one. It is to try again, and to keep nothing meanwhile.
      if (error.command?.name === "select")
        this.client.recoverFromFatalError(error, new Error(error.message, { cause: error }), {});
    });
  }

  /** False from when something could not be done until something could. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** What went wrong with the connection, for people, or null. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Does something that takes no longer than Redis should. Nothing is left waiting for a Redis that is gone. @throws Error */
  async within<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#isUp && this.client.status !== "ready") throw this.#failure("Redis cannot be reached");
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(this.#failure(`Redis did not answer within ${PATIENCE_MS} ms`)),
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
      this.#probing ??= setTimeout(() => void this.#tryAgain(), PROBE_MS).unref();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** One that comes back after it was gone says so itself. One that was full or slow has to be asked. */
  async #tryAgain(): Promise<void> {
    this.#probing = null;
    await this.within(() => this.client.set(this.#probe, "", "PX", PROBE_MS)).catch(() => {});
  }

  #failure(what: string): Error {
    return new Error(this.#fault === null ? what : `${what}: ${this.#fault}`);
  }

  close(): void {
    clearTimeout(this.#probing ?? undefined);
    this.client.disconnect();
  }
}
