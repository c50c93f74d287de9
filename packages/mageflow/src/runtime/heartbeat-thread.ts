import { isMainThread, parentPort, workerData } from "node:worker_threads";
import type { Store, StoreAddress } from "../ports/store.ts";

/** What the thread is started with. */
export interface HeartbeatData {
  readonly address: StoreAddress;
  readonly session: string;
  readonly lease: number;
  readonly interval: number;
  /** Shared with the main thread; see {@link CONTROL}. */
  readonly control: Int32Array<SharedArrayBuffer>;
}

/** Places in the shared array: set to end the thread; counted up by the main thread to show that it lives. */
export const CONTROL = { stop: 0, proof: 1, size: 2 } as const;

/** A main thread that has not moved for this long (ms) is taken for dead. */
const PATIENCE_MS = 60_000;

/**
 * The body of the heartbeat thread. It waits on the shared array rather than on timers, needs nothing of the main thread's event
 * loop, and posts one message when the session is lost.
 */
async function beat({ address, session, lease, interval, control }: HeartbeatData): Promise<void> {
  const { openStore } = (await import(address.module)) as { openStore(this: void, url: string): Store };
  const store = openStore(address.url);
  await store.open();
  let proof = -1;
  let still = 0;
  while (Atomics.wait(control, CONTROL.stop, 0, interval) === "timed-out") {
    const now = Atomics.load(control, CONTROL.proof);
    still = now === proof ? still + interval : 0;
    proof = now;
    if (still >= PATIENCE_MS) continue;
    const alive = await store.heartbeat(session, lease).catch(() => true);
    if (!alive) {
      parentPort!.postMessage("lost");
      break;
    }
  }
  await store.close();
}

if (!isMainThread && isHeartbeat(workerData)) await beat(workerData);

function isHeartbeat(data: unknown): data is HeartbeatData {
  return typeof data === "object" && data !== null && "session" in data && "control" in data;
}
