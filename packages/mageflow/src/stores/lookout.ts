/** Looks every so often, as long as anybody listens, and tells them when there was something to be seen. */
export class Lookout {
  readonly #every: number;
  readonly #look: (isFirst: boolean) => Promise<boolean>;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | null = null;
  #isOpen = false;
  #isLooking = false;
  /** Nobody has looked since somebody began to listen. */
  #isFirst = true;

  /** `every` in milliseconds. `look` tells whether there is something; what it throws is nothing. The first look follows at once. */
  constructor(every: number, look: (isFirst: boolean) => Promise<boolean>) {
    this.#every = every;
    this.#look = look;
  }

  open(): void {
    this.#isOpen = true;
    this.#begin();
  }

  /** Who listens hears nothing until it is opened again. */
  close(): void {
    this.#isOpen = false;
    this.#rest();
  }

  /** Returns what ends it. */
  add(listener: () => void): () => void {
    // Wrapped, so that the same function can listen twice.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    this.#begin();
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  tell(): void {
    if (this.#timer === null) return;
    for (const listener of this.#listeners) listener();
  }

  #begin(): void {
    if (!this.#isOpen || this.#timer !== null || this.#listeners.size === 0) return;
    this.#isFirst = true;
    this.#timer = setInterval(() => void this.#lookOnce(), this.#every).unref();
    void this.#lookOnce();
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #lookOnce(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    try {
      if (await this.#look(isFirst)) this.tell();
    } catch {
      // A server that cannot be reached now has nothing to tell; it is asked again.
      this.#isFirst ||= isFirst;
    } finally {
      this.#isLooking = false;
    }
  }
}
