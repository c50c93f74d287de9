import { expect, test } from "vitest";
import { StoreError } from "../core/errors.ts";
import { swarm } from "../core/plans.ts";
import { MageFlow } from "../mageflow.ts";
import { systemClock } from "../engines/embedded/system-clock.ts";
import { OutcomeUnknown, type Store } from "../ports/store.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";
import { FAR_AHEAD } from "../testing/store-suite/sample-record.ts";
import { sampleWorker } from "../testing/store-suite/sample-worker.ts";
import { Committer } from "./committer.ts";
import { SpecCache } from "./spec-cache.ts";

/** The store, telling how many records each transaction creates. */
function counting(store: Store, created: number[]): Store {
  const transact = store.transact.bind(store);
  store.transact = (work) =>
    transact((tx) => {
      const write = tx.write.bind(tx);
      tx.write = (changes) => {
        created.push(changes.insert?.length ?? 0);
        return write(changes);
      };
      return work(tx);
    });
  return store;
}

test("many ends with large callbacks are spread over several transactions", async () => {
  const created: number[] = [];
  await using mage = new MageFlow({ store: counting(memoryStore(), created) });
  const item = mage.task("item", () => null);
  const tick = mage.task("tick", () => null);
  const large = swarm(Array.from({ length: 100 }, () => tick));
  await using worker = await mage.worker({ concurrency: 80 });
  const run = await mage.run(
    swarm(
      Array.from({ length: 80 }, () => item),
      { concurrency: 80, onItemSuccess: large },
    ),
  );
  expect(await run.settled()).toMatchObject({ status: "SUCCEEDED" });
  // 80 callbacks of 101 records each; a transaction is full at 4,000.
  expect(Math.max(...created)).toBeLessThan(4_200);
  expect(created.reduce((sum, count) => sum + count)).toBe(81 + 80 * 101);
  await worker.stop();
});

test("a commit of which nothing is told leaves what it claimed to others, and is not told to have failed", async () => {
  const store = memoryStore();
  const mage = new MageFlow({ store });
  const { id } = await mage.run(mage.task("task", () => null));
  await mage.close();
  await store.open();
  await store.transact((tx) => tx.write({ workers: [sampleWorker("w", { leaseUntil: FAR_AHEAD })] }));
  const transact = store.transact.bind(store);
  store.transact = async (work) => {
    await transact(work);
    throw new OutcomeUnknown("the answer was lost");
  };
  store.stamped = () => Promise.reject(new StoreError("STORE_BUSY", "it has not ended yet"));
  const committer = new Committer(
    store,
    { ...systemClock, sleep: async () => {} },
    new SpecCache(),
    "session",
  );
  const told: string[] = [];
  committer.addClaimer({
    demand: () => (told.length > 0 ? null : { workerId: "w", slots: 1, tasks: new Map([["task", 1]]) }),
    hungry: true,
    offers: null,
    idle: false,
    ring: () => {},
    lose: () => told.push("lost"),
    receive: () => told.push("received"),
  });
  await expect(committer.run({ locks: [], apply: () => {} })).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
    message: "memory does not tell whether it has kept a commit; look before you do it again",
  });
  expect(told).toEqual(["lost"]);
  expect(await store.get([id])).toMatchObject([{ status: "RUNNING", workerId: "w" }]);
  await committer.close();
  await store.close();
});
