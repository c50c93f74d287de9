import { WaitTimeoutError } from "../core/errors.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { UnreadableError } from "../ports/unreadable.ts";
import { butUnreadable } from "./but-unreadable.ts";
import type { Commit, Committer } from "./committer.ts";
import { missing } from "./control.ts";
import { sleepUntil } from "./sleep-until.ts";
import { unattributed } from "./stray.ts";
import { warn } from "./warning.ts";

interface Wait {
  readonly done: (record: SignatureRecord) => boolean;
  readonly resolve: (record: SignatureRecord) => void;
  readonly reject: (error: Error) => void;
}

/** Signatures are looked at this often (ms) when nobody tells of a change: the net under the doorbells. */
const POLL_MS = 1_000;
const PAGE = 500;

/**
 * Waiting for signatures without asking for each: commits of this process bring the record along, doorbells of the store make one
 * read for all that are waited for, and a slow poll is the net under both.
 */
export class Waiters {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #committer: Committer;
  readonly #onOpen: () => void;
  readonly #waits = new Map<string, Set<Wait>>();
  /** Ids that are newly waited for, to be looked at. */
  readonly #fresh = new Set<string>();
  #looping = false;
  #wake = new AbortController();
  #closed = false;

  /** `onOpen` is called when something is waited for that is not there yet. */
  constructor(store: Store, clock: Clock, committer: Committer, onOpen: () => void) {
    this.#store = store;
    this.#clock = clock;
    this.#committer = committer;
    this.#onOpen = onOpen;
    committer.listen((commit) => this.#onCommit(commit));
  }

  /**
   * Resolves with the record as soon as `done` holds for it.
   *
   * @throws NotFoundError (`NOT_FOUND`) when it is not there, GoneError (`GONE`) when it is no longer.
   * @throws WaitTimeoutError (`WAIT_TIMEOUT`) after `timeout` ms, when that is given.
   */
  until(
    id: string,
    done: (record: SignatureRecord) => boolean,
    timeout: number | null,
  ): Promise<SignatureRecord> {
    return new Promise((resolve, reject) => {
      const over = new AbortController();
      const wait: Wait = {
        done,
        resolve: (record) => {
          over.abort("over");
          this.#remove(id, wait);
          resolve(record);
        },
        reject: (error) => {
          over.abort("over");
          this.#remove(id, wait);
          reject(error);
        },
      };
      const waits = this.#waits.get(id);
      if (waits === undefined) this.#waits.set(id, new Set([wait]));
      else waits.add(wait);
      if (timeout !== null) {
        void sleepUntil(this.#clock, this.#clock.monotonic() + timeout, over.signal).then((late) => {
          if (late) wait.reject(new WaitTimeoutError(id, timeout));
        });
      }
      this.#lookSoon(id);
      if (!this.#looping) unattributed(() => void this.#loop());
    });
  }

  /**
   * Looks at what is newly waited for, together. A commit that is under way often has the answer: one turn lets what was ready to run
   * ask for it.
   */
  #lookSoon(id: string): void {
    if (this.#fresh.add(id).size > 1) return;
    unattributed(async () => {
      await this.#clock.turn();
      const asked = [...this.#fresh];
      this.#fresh.clear();
      await this.#committer.underWay();
      const fresh = asked.filter((waited) => this.#waits.has(waited));
      for (let i = 0; i < fresh.length; i += PAGE) {
        const page = fresh.slice(i, i + PAGE);
        await this.#look(page).catch((error: unknown) => this.#fail(page, error));
      }
      if (this.#waits.size > 0) this.#onOpen();
    }).catch(warn);
  }

  #fail(ids: readonly string[], error: unknown): void {
    const reason = error instanceof Error ? error : new Error(String(error));
    for (const id of ids) for (const wait of this.#waits.get(id) ?? []) wait.reject(reason);
  }

  /** Ends every wait with this error. */
  close(error: Error): void {
    this.#closed = true;
    this.#wake.abort("woken");
    for (const waits of this.#waits.values()) for (const wait of waits) wait.reject(error);
  }

  #remove(id: string, wait: Wait): void {
    const waits = this.#waits.get(id);
    waits?.delete(wait);
    if (waits?.size === 0) this.#waits.delete(id);
    if (this.#waits.size === 0) this.#wake.abort("woken");
  }

  #onCommit({ changed }: Commit): void {
    if (this.#waits.size === 0) return;
    for (const { now } of changed) this.#offer(now);
  }

  #offer(record: SignatureRecord): void {
    for (const wait of this.#waits.get(record.id) ?? []) if (wait.done(record)) wait.resolve(record);
  }

  async #look(ids: readonly string[]): Promise<void> {
    const found = new Set<string>();
    const unreadable = (error: UnreadableError): void => {
      found.add(error.id);
      this.#fail([error.id], error);
    };
    for (const record of await butUnreadable(ids, (some) => this.#store.get(some), unreadable)) {
      found.add(record.id);
      this.#offer(record);
    }
    for (const id of ids) {
      if (found.has(id)) continue;
      const why = await missing(this.#store, id);
      for (const wait of this.#waits.get(id) ?? []) wait.reject(why);
    }
  }

  async #loop(): Promise<void> {
    this.#looping = true;
    const unwatch = this.#store.watch(() => this.#wake.abort("woken"));
    while (this.#waits.size > 0 && !this.#closed) {
      await this.#clock.sleep(POLL_MS, this.#wake.signal);
      this.#wake = new AbortController();
      const ids = [...this.#waits.keys()];
      for (let i = 0; i < ids.length; i += PAGE) {
        // A store that cannot be read now is read again by the next round.
        await this.#look(ids.slice(i, i + PAGE)).catch(() => {});
      }
    }
    unwatch();
    this.#looping = false;
    if (this.#waits.size > 0 && !this.#closed) void this.#loop();
  }
}
