import type { Held } from "./held.ts";

/** A connection for one purpose: opened when it is first needed, and again when it was lost. Many may use it at once. */
export class Line<C extends Held> {
  readonly #open: () => Promise<C>;
  #opening: Promise<C> | null = null;

  constructor(open: () => Promise<C>) {
    this.#open = open;
  }

  async connection(): Promise<C> {
    const opening = this.#opening;
    if (opening !== null) {
      const connection = await opening;
      if (!connection.lost) return connection;
      if (this.#opening !== opening) return this.connection();
    }
    const next = this.#open();
    this.#opening = next;
    next.catch(() => {
      if (this.#opening === next) this.#opening = null;
    });
    return next;
  }

  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = null;
    await opening?.then(
      (connection) => connection.close(),
      () => {},
    );
  }
}
