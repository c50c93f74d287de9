import type { Held } from "./held.ts";

/** Connections for transactions: each has one to itself while it is under way. Who finds none free waits its turn. */
export class Lines<C extends Held> {
  readonly #open: () => Promise<C>;
  readonly #most: number;
  readonly #free: C[] = [];
  readonly #waiting: ((connection: C | null) => void)[] = [];
  /** Those that are open, being opened, or promised. */
  #count = 0;

  constructor(open: () => Promise<C>, most: number) {
    this.#open = open;
    this.#most = most;
  }

  async take(): Promise<C> {
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop()) {
      if (!free.lost) return free;
      this.#count--;
    }
    if (this.#count >= this.#most) {
      const handed = await new Promise<C | null>((resolve) => this.#waiting.push(resolve));
      if (handed !== null) return handed;
    } else {
      this.#count++;
    }
    try {
      return await this.#open();
    } catch (error) {
      this.#pass(null);
      throw error;
    }
  }

  give(connection: C): void {
    this.#pass(connection.lost ? null : connection);
  }

  async close(): Promise<void> {
    const free = this.#free.splice(0);
    this.#count -= free.length;
    await Promise.all(free.map((connection) => connection.close()));
  }

  /** To whoever waits longest; null is the right to open one. */
  #pass(connection: C | null): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next(connection);
    else if (connection === null) this.#count--;
    else this.#free.push(connection);
  }
}
