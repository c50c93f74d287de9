import { LockedError } from "../core/errors.ts";
import type { SignatureRecord } from "../core/record.ts";
import { lock } from "./lock.ts";
import type { Runtime } from "./runtime.ts";

/** Workflows that are kept still, by a lock that is given its time again and again, so that nobody adds to them while they are counted. */
export class Stillness implements AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #held: string | null;
  readonly #tokens = new Map<string, string>();
  readonly #over = new AbortController();
  readonly #releases: (() => Promise<void>)[] = [];

  /** `held` is the lock that the caller holds: what that is on is still already, but for the caller. */
  constructor(runtime: Runtime, held: string | null) {
    this.#runtime = runtime;
    this.#held = held;
  }

  /** Whoever is adding to it has done so when this resolves. @throws LockedError (`LOCKED`) */
  async keep(id: string): Promise<void> {
    const { clock } = this.#runtime;
    const again = (token: string | null): ReturnType<typeof lock> =>
      lock(this.#runtime, { id, token, span: SPAN_MS, onHeld: () => {} });
    try {
      const kept = await again(null);
      const { token } = kept;
      this.#tokens.set(id, token);
      this.#releases.push(() => kept.release());
      const extend = async (): Promise<void> => {
        const { signal } = this.#over;
        while (!signal.aborted) {
          await clock.sleep(SPAN_MS / 3, signal, { background: true });
          // One that is lost is found out by the transaction that needs it.
          if (!signal.aborted) await again(token).catch(() => {});
        }
      };
      void extend();
    } catch (error) {
      if (this.#held === null || !(error instanceof LockedError)) throw error;
    }
  }

  /** The token that it takes to give orders to it. */
  tokenOf(id: string): string | null {
    return this.#tokens.get(id) ?? this.#held;
  }

  /** False when it was to be kept still, and others may have added to it since. */
  isKept({ id, lock: now }: SignatureRecord, at: number): boolean {
    const token = this.#tokens.get(id);
    return token === undefined || (now?.held?.token === token && now.held.until > at);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#releases.map((release) => release()));
  }
}

/** So long others wait for a process that was killed while it counted. */
const SPAN_MS = 30_000;
