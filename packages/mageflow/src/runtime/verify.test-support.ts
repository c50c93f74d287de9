import { afterEach } from "vitest";
import { chain, type ContainerPlan, swarm, type TaskPlan } from "../core/plans.ts";
import type { SignatureRecord } from "../core/record.ts";
import { systemClock } from "../engines/embedded/system-clock.ts";
import { MageFlow } from "../mageflow.ts";
import type { Store } from "../ports/store.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";
import type { Run } from "./run.ts";
import { type Audited, type Breach, verifyStore } from "./verify.ts";

/** Closed after each test. */
export const open: MageFlow[] = [];

afterEach(async () => {
  for (const mage of open.splice(0)) await mage.close();
});

export interface Scene {
  readonly store: Store;
  readonly mage: MageFlow;
  readonly good: TaskPlan<unknown, unknown, unknown>;
  readonly bad: TaskPlan<unknown, unknown, unknown>;
  readonly mixed: ContainerPlan<unknown, unknown, unknown>;
}

export function scene(): Scene {
  const store = memoryStore();
  const mage = new MageFlow({ store });
  open.push(mage);
  const good = mage.task("good", async () => ({ ok: true }));
  const bad = mage.task("bad", async () => {
    throw new Error("no");
  });
  const mixed = chain([
    swarm([good, bad, chain([good, good]), swarm([bad], { name: "inner" })], {
      name: "outer",
      concurrency: 2,
      onItemSuccess: good,
      onItemError: bad,
      onItemCleanup: good,
    }),
    good.onSuccess(good).onCleanup(bad),
    chain([bad, good]).onError(good.onError(good)),
    good,
  ])
    .onError(good)
    .onSuccess(bad)
    .onCleanup(good)
    .onCleanup(chain([good, good]));
  return { store, mage, good, bad, mixed };
}

/** The scene with `mixed` run to its end. */
export async function settledScene(): Promise<Scene & { run: Run }> {
  const { store, mage, ...plans } = scene();
  await using worker = await mage.worker();
  const run = await mage.run(plans.mixed);
  await run.settled();
  await worker.stop();
  return { store, mage, run, ...plans };
}

export async function audit(store: Store): Promise<{ breaches: Breach[]; audited: Audited }> {
  const breaches: Breach[] = [];
  const walk = verifyStore(store, systemClock);
  for (;;) {
    const { done, value } = await walk.next();
    if (done === true) return { breaches, audited: value };
    breaches.push(value);
  }
}

/** Writes past all deciders, as only a bug or a damaged file can. */
export async function damage(
  store: Store,
  id: string,
  change: (record: SignatureRecord) => Partial<SignatureRecord>,
): Promise<void> {
  await store.transact(async (tx) => {
    const { records } = await tx.lock([id], { wait: true });
    await tx.write({ update: [{ ...records[0]!, ...change(records[0]!) }] });
  });
}

/** The records of a store, in one of their own in which nobody is at work, with a session for each worker. */
export async function copied(store: Store, now: () => number): Promise<Store> {
  const copy = memoryStore({ now });
  await copy.open();
  const insert = await store.scan({ after: null, limit: 500 });
  const specs = await store.specs(insert.map(({ rootId, spec }) => ({ rootId, id: spec })));
  const workers = await store.workers(10);
  const born = { type: "created", status: "PENDING", generation: 1, attempt: 0 } as const;
  const roots = insert.filter(({ role }) => role === "root");
  const journal = new Map(roots.map(({ id }) => [id, [{ id, ...born }]]));
  await copy.transact((tx) => tx.write({ insert, specs, workers, journal }));
  return copy;
}
