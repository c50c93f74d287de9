import { expect, test } from "vitest";
import { chain, swarm } from "../core/plans.ts";
import { MageFlow } from "../mageflow.ts";
import { Committer } from "./committer.ts";
import type { Store } from "../ports/store.ts";
import { systemClock } from "../engines/embedded/system-clock.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";

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

test("several lanes never fill more places than a worker has, in all or of one task", async () => {
  await using mage = new MageFlow({ store: memoryStore({ lanes: 3 }) });
  const running = { all: 0, single: 0 };
  const most = { all: 0, single: 0 };
  const note = (single: boolean, by: 1 | -1): void => {
    running.all += by;
    if (single) running.single += by;
    most.all = Math.max(most.all, running.all);
    most.single = Math.max(most.single, running.single);
  };
  const work = (single: boolean) => async (): Promise<null> => {
    note(single, 1);
    await new Promise((resolve) => void setImmediate(resolve));
    note(single, -1);
    return null;
  };
  const any = mage.task("any", work(false));
  const single = mage.task("single", { concurrency: 1 }, work(true));
  await using worker = await mage.worker({ concurrency: 4 });
  const plan = chain([any, single, swarm([any, single, any]), single]);
  const runs = await Promise.all(Array.from({ length: 30 }, () => mage.run(plan)));
  for (const { status } of await Promise.all(runs.map((run) => run.settled())))
    expect(status).toBe("SUCCEEDED");
  expect(most).toEqual({ all: 4, single: 1 });
  await worker.stop();
});

test("what concerns one workflow is done in the order in which it was asked for, whatever the lane", async () => {
  const store = memoryStore({ lanes: 3 });
  await store.open();
  const committer = new Committer(store, systemClock, "session");
  for (const root of ["a", "b", "c", "d", "e", "f"]) {
    const done: number[] = [];
    const asked = Array.from({ length: 20 }, (_, n) =>
      committer.run({ locks: [n % 2 === 0 ? root : `${root}.${n}`], apply: () => void done.push(n) }),
    );
    await Promise.all(asked);
    expect(done).toEqual(Array.from({ length: 20 }, (_, n) => n));
  }
  await committer.close();
  await store.close();
});
