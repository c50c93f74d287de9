import { Worker as Thread } from "node:worker_threads";
import type { Clock } from "../ports/clock.ts";
import type { Store, StoreAddress } from "../ports/store.ts";
import { CONTROL, type HeartbeatData, type HeartbeatNews, type HeartbeatOrder } from "./heartbeat-thread.ts";

export interface HeartbeatOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly session: string;
  /** ms */
  readonly lease: number;
  /** ms */
  readonly interval: number;
  /** Called once when the session was declared dead. */
  readonly onLost: () => void;
}

export interface Heartbeat {
  /** Resolves when it has let go of the store. */
  stop(): Promise<void>;
}

/** The main thread shows that it lives this often (ms). */
const PROOF_MS = 1_000;

/**
 * Extends the lease of a worker session until it is stopped. A store that a thread can open for itself is kept alive from
 * a thread, so that task code that blocks the event loop does not cost the leases. The thread stops for a main thread
 * that has shown no sign of life for a minute: a process that hangs for good is not kept alive.
 */
export function keepAlive(options: HeartbeatOptions): Heartbeat {
  const { address } = options.store;
  if (address === null) return fromLoop(options);
  pulse ??= new Pulse();
  return pulse.keep(options, address);
}

function fromLoop({ store, clock, session, lease, interval, onLost }: HeartbeatOptions): Heartbeat {
  const stopping = new AbortController();
  const beat = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await clock.sleep(interval, stopping.signal, { background: true });
      if (stopping.signal.aborted) return;
      // A store that cannot be reached is asked again at the next beat; the lease outlasts two of them.
      const alive = await store.heartbeat(session, lease).catch(() => true);
      if (!alive && !stopping.signal.aborted) {
        stopping.abort();
        onLost();
      }
    }
  };
  void beat();
  return {
    stop: () => {
      stopping.abort();
      return Promise.resolve();
    },
  };
}

/** A session that the thread keeps alive, or the main thread in its place. */
interface Kept {
  readonly options: HeartbeatOptions;
  substitute: Heartbeat | null;
  onLeft: (() => void) | null;
}

/** The one heartbeat thread of this process, once it was needed. It stays for later sessions and never keeps the process alive. */
let pulse: Pulse | null = null;

class Pulse {
  readonly #control = new Int32Array(new SharedArrayBuffer(CONTROL.size * Int32Array.BYTES_PER_ELEMENT));
  readonly #kept = new Map<string, Kept>();
  readonly #thread: Thread;
  #proving = false;

  constructor() {
    const workerData: HeartbeatData = { control: this.#control };
    const module = new URL(`./heartbeat-thread${import.meta.url.slice(-3)}`, import.meta.url);
    this.#thread = new Thread(module, { workerData });
    this.#thread.on("message", (news: HeartbeatNews) => this.#hear(news));
    // After the listener, which would hold on to the process again.
    this.#thread.unref();
    // A thread that cannot run must not cost the tasks; another is started for the next session.
    this.#thread.on("error", () => {});
    this.#thread.once("exit", () => {
      pulse = null;
      for (const session of this.#kept.keys()) {
        this.#hear({ session, what: this.#kept.get(session)!.onLeft === null ? "failed" : "left" });
      }
    });
  }

  keep(options: HeartbeatOptions, address: StoreAddress): Heartbeat {
    const { session, lease, interval } = options;
    const kept: Kept = { options, substitute: null, onLeft: null };
    this.#kept.set(session, kept);
    this.#order({ keep: session, address, lease, interval });
    if (!this.#proving) void this.#prove(options.clock);
    return { stop: () => this.#leave(session, kept) };
  }

  async #leave(session: string, kept: Kept): Promise<void> {
    if (kept.substitute !== null) {
      this.#kept.delete(session);
      return kept.substitute.stop();
    }
    if (kept.onLeft !== null || !this.#kept.has(session)) return;
    // Whoever waits for it must not be the last thing that the process does.
    this.#thread.ref();
    await new Promise<void>((resolve) => {
      kept.onLeft = resolve;
      this.#order({ leave: session });
    });
  }

  #hear({ session, what }: HeartbeatNews): void {
    const kept = this.#kept.get(session);
    if (kept === undefined) return;
    if (what === "left") {
      this.#kept.delete(session);
      kept.onLeft?.();
      if (![...this.#kept.values()].some(({ onLeft }) => onLeft !== null)) this.#thread.unref();
    } else if (kept.onLeft === null) {
      if (what === "lost") kept.options.onLost();
      // The main thread keeps the session in the thread's place.
      else kept.substitute ??= fromLoop(kept.options);
    }
  }

  #order(order: HeartbeatOrder): void {
    this.#thread.postMessage(order);
    Atomics.add(this.#control, CONTROL.bell, 1);
    Atomics.notify(this.#control, CONTROL.bell);
  }

  async #prove(clock: Clock): Promise<void> {
    this.#proving = true;
    while (this.#kept.size > 0) {
      Atomics.add(this.#control, CONTROL.proof, 1);
      await clock.sleep(PROOF_MS, undefined, { background: true });
    }
    this.#proving = false;
  }
}
