import type { Connection } from "./connection.ts";

/** A connection for one purpose: opened when it is first needed, and again when it was lost. Many may use it at once. */
export class Line {
  readonly #open: () => Promise<Connection>;
  #opening: Promise<Connection> | null = null;

  constructor(open: () => Promise<Connection>) {
    this.#open = open;
  }

  async connection(): Promise<Connection> {
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
