/** Time and turns, injected so that the whole runtime can run on virtual time. */
export interface Clock {
  /** Milliseconds that only grow; for measuring spans in this process. Instants come from the store. */
  monotonic(): number;

  /** Resolves after `ms` (at least 0), or at once when `signal` aborts. Never rejects. Spans over an hour are cut to an hour. */
  sleep(ms: number, signal?: AbortSignal, options?: SleepOptions): Promise<void>;

  /** Resolves when the event loop has had a turn: whatever was ready to run has run. */
  turn(): Promise<void>;
}

interface SleepOptions {
  /** A sleep that alone does not keep the process alive. */
  readonly background?: boolean;
}

/** Fresh ids: unique over processes, sorting by time, of lower-case letters and digits. */
export interface IdSource {
  next(): string;
}
