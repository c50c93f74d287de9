import { Worker as Thread } from "node:worker_threads";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { CONTROL, type HeartbeatData } from "./heartbeat-thread.ts";

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
  return options.store.address === null ? fromLoop(options) : fromThread(options);
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

function fromThread({ store, clock, session, lease, interval, onLost }: HeartbeatOptions): Heartbeat {
  const control = new Int32Array(new SharedArrayBuffer(CONTROL.size * Int32Array.BYTES_PER_ELEMENT));
  const workerData: HeartbeatData = { address: store.address!, session, lease, interval, control };
  const thread = new Thread(new URL(`./heartbeat-thread${import.meta.url.slice(-3)}`, import.meta.url), {
    workerData,
    // It allocates next to nothing; without limits its heap would grow as the main thread's may.
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 },
  });
  thread.unref();
  const stopping = new AbortController();
  const ended = new Promise<void>((resolve) => thread.once("exit", () => resolve()));
  let substitute: Heartbeat | null = null;
  const stop = (): Promise<void> => {
    stopping.abort();
    void substitute?.stop();
    Atomics.store(control, CONTROL.stop, 1);
    Atomics.notify(control, CONTROL.stop);
    // Whoever waits for its end must not be the last thing that the process does.
    thread.ref();
    return ended;
  };
  const lose = (): void => {
    if (stopping.signal.aborted) return;
    void stop();
    onLost();
  };
  thread.on("message", lose);
  // A thread that cannot run must not cost the tasks: the main thread keeps the session in its place.
  thread.on("error", () => {
    if (!stopping.signal.aborted)
      substitute = fromLoop({ store, clock, session, lease, interval, onLost: lose });
  });
  const prove = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      Atomics.add(control, CONTROL.proof, 1);
      await clock.sleep(PROOF_MS, stopping.signal, { background: true });
    }
  };
  void prove();
  return { stop };
}
