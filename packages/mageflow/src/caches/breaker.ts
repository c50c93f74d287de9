import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "../core/errors.ts";

/** An answer that takes longer (ms) is not waited for: the store is asked instead. */
const PATIENCE_MS = 500;
/** Answers that all take longer than this (ms) for {@link SLOW_FOR_MS} come too late to be of use. */
export const SLOW_MS: number = 100;
const SLOW_FOR_MS = 1_000;
/** One that is not connected in this time (ms) is tried again. Nobody waits for it but who opens the store. */
const CONNECT_MS = 2_000;
/** How often (ms) is tried whether the cache is there again. */
const PROBE_MS = 1_000;

/**
 * Keeps a cache that fails or hangs from holding up anybody: the first call that does is waited for half a second at most, and then
 * nobody asks the cache until it has come back. The same goes for one that answers slowly for a second.
 */
export class Breaker {
  readonly #comeBack: () => Promise<void>;
  readonly #onChange: (why: Error | null) => void;
  #why: Error | null = new Error(UNOPENED);
  /** When the first came of the slow answers that no quick one has come between. */
  #slowSince: number | null = null;
  #probing = false;
  #closed = false;

  /** `comeBack` connects again, and leaves the cache as it has to be to be used. `onChange` gets the reason, or null when it is back. */
  constructor(comeBack: () => Promise<void>, onChange: (why: Error | null) => void) {
    this.#comeBack = comeBack;
    this.#onChange = onChange;
  }

  get isUp(): boolean {
    return this.#why === null;
  }

  /** Why the cache is not asked, or null. */
  get why(): string | null {
    return this.#why?.message ?? null;
  }

  /**
   * Tries to connect; when that fails, goes on trying in the background.
   *
   * @throws StoreError when trying again does not help.
   */
  async open(): Promise<void> {
    this.#closed = false;
    await this.#probe();
    if (!(this.#why instanceof StoreError)) return;
    this.close();
    throw this.#why;
  }

  close(): void {
    this.#closed = true;
    this.#why ??= new Error("it is closed");
  }

  /** What the cache answers, or null when it does not, or is not asked. Never rejects. */
  async ask<T extends object>(work: () => Promise<T>): Promise<T | null> {
    if (this.#why !== null) return null;
    try {
      let isSlow = false;
      const answer = await soon(work(), PATIENCE_MS, () => (isSlow = true));
      this.#judge(isSlow);
      return answer;
    } catch (error) {
      this.#trip(error);
      return null;
    }
  }

  /** Tells the cache something. False when it has not taken it. Never rejects. */
  async tell(work: () => Promise<void>): Promise<boolean> {
    return (await this.ask(async () => (await work(), DONE))) !== null;
  }

  #judge(isSlow: boolean): void {
    if (!isSlow) {
      this.#slowSince = null;
      return;
    }
    const now = performance.now();
    this.#slowSince ??= now;
    if (now - this.#slowSince > SLOW_FOR_MS) this.#trip(new Error(SLOW));
  }

  #trip(error: unknown): void {
    if (this.#why !== null) return;
    this.#why = error instanceof Error ? error : new Error(String(error));
    this.#slowSince = null;
    this.#onChange(this.#why);
    void this.#probeOn();
  }

  async #probeOn(): Promise<void> {
    if (this.#probing) return;
    this.#probing = true;
    while (this.#why !== null && !this.#closed) {
      await sleep(PROBE_MS, undefined, { ref: false });
      if (!this.#closed) await this.#probe();
    }
    this.#probing = false;
  }

  async #probe(): Promise<void> {
    try {
      await soon(this.#comeBack(), CONNECT_MS);
      if (this.#closed) return;
      this.#why = null;
      this.#onChange(null);
    } catch (error) {
      const isNew = this.#why?.message === UNOPENED;
      this.#why = error instanceof Error ? error : new Error(String(error));
      // With such an error nothing is opened, and nobody goes on alone.
      if (isNew && !(this.#why instanceof StoreError)) this.#onChange(this.#why);
      void this.#probeOn();
    }
  }
}

const DONE = {};
const UNOPENED = "it was not opened";
export const SLOW: string = `its answers take longer than ${SLOW_MS} ms`;

/**
 * Rejects when there is no answer for too long, and calls `onSlow` before that. An event loop that was held up meanwhile first takes the
 * answers that have come.
 */
function soon<T>(answer: Promise<T>, patience: number, onSlow: () => void = () => {}): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let isOver = false;
    const unlessOver = (work: () => void) => () =>
      setImmediate(() =>
        setImmediate(() => {
          if (!isOver) work();
        }),
      );
    const slow = setTimeout(unlessOver(onSlow), SLOW_MS);
    const late = setTimeout(
      unlessOver(() => reject(new Error(`it has not answered within ${patience} ms`))),
      patience,
    );
    const end = (): void => {
      isOver = true;
      clearTimeout(slow);
      clearTimeout(late);
    };
    answer.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
