import { isMainThread, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Store, StoreAddress } from "../ports/store.ts";

/** What the thread is started with: an array that it shares with the main thread; see {@link CONTROL}. */
export interface HeartbeatData {
  readonly control: Int32Array<SharedArrayBuffer>;
}

/** Places in the shared array, both counted up by the main thread: when it has sent an order, and to show that it lives. */
export const CONTROL = { bell: 0, proof: 1, size: 2 } as const;

/** What the main thread wants: a session kept alive, or left alone. */
export type HeartbeatOrder =
  | {
      readonly keep: string;
      readonly address: StoreAddress;
      readonly lease: number;
      readonly interval: number;
    }
  | { readonly leave: string };

/** What the thread says of a session: it was declared dead, cannot be kept by the thread, or its store has been let go. */
export interface HeartbeatNews {
  readonly session: string;
  readonly what: "lost" | "failed" | "left";
}

interface Kept {
  readonly store: Store;
  readonly lease: number;
  readonly interval: number;
}

/** A main thread that has not moved for this long (ms) is taken for dead. */
const PATIENCE_MS = 60_000;

/**
 * The body of the heartbeat thread: one for all sessions of a process. It waits on the shared array rather than on timers, and needs
 * nothing of the main thread's event loop.
 */
async function beat({ control }: HeartbeatData): Promise<never> {
  const kept = new Map<string, Kept>();
  let heard = 0;
  let proof = -1;
  let still = 0;
  for (;;) {
    const wait = Math.min(...[...kept.values()].map(({ interval }) => interval));
    const woken = Atomics.wait(control, CONTROL.bell, heard, wait) !== "timed-out";
    heard = Atomics.load(control, CONTROL.bell);
    for (
      let mail = receiveMessageOnPort(parentPort!);
      mail !== undefined;
      mail = receiveMessageOnPort(parentPort!)
    ) {
      await obey(kept, mail.message as HeartbeatOrder);
    }
    if (woken) continue;
    const now = Atomics.load(control, CONTROL.proof);
    still = now === proof ? still + wait : 0;
    proof = now;
    if (still < PATIENCE_MS) await beatAll(kept);
  }
}

async function obey(kept: Map<string, Kept>, order: HeartbeatOrder): Promise<void> {
  if ("leave" in order) {
    await kept.get(order.leave)?.store.close();
    kept.delete(order.leave);
    tell(order.leave, "left");
    return;
  }
  const { keep: session, address, lease, interval } = order;
  try {
    const { openStore } = (await import(address.module)) as { openStore(this: void, url: string): Store };
    const store = openStore(address.url);
    await store.open();
    kept.set(session, { store, lease, interval });
  } catch {
    tell(session, "failed");
  }
}

async function beatAll(kept: Map<string, Kept>): Promise<void> {
  for (const [session, { store, lease }] of kept) {
    // A store that cannot be reached is asked again at the next beat; the lease outlasts two of them.
    const alive = await store.heartbeat(session, lease).catch(() => true);
    if (!alive) tell(session, "lost");
  }
}

function tell(session: string, what: HeartbeatNews["what"]): void {
  parentPort!.postMessage({ session, what } satisfies HeartbeatNews);
}

if (!isMainThread && isHeartbeat(workerData)) await beat(workerData);

function isHeartbeat(data: unknown): data is HeartbeatData {
  return typeof data === "object" && data !== null && "control" in data && data.control instanceof Int32Array;
}
