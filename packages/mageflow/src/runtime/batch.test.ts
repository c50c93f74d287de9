import { expect, test } from "vitest";
import { chain, swarm } from "../core/plans.ts";
import type { Signal } from "../core/signal.ts";
import { MageFlow } from "../mageflow.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";
import { Batch } from "./batch.ts";
import { SpecCache } from "./spec-cache.ts";

const INTERRUPT: Signal = {
  type: "halt",
  verb: "interrupt",
  actor: "somebody",
  reason: null,
  grace: 1_000,
  by: null,
};

test("what is interrupted in the commit in which something inside ends waits for the cleanups of that", async () => {
  const store = memoryStore();
  const mage = new MageFlow({ store });
  const task = mage.task("task", () => 1);
  const { id } = await mage.run(swarm([chain([task]).onCleanup(task)]));
  await mage.close();
  await store.open();
  const commit = (...told: [string, Signal][]): Promise<void> =>
    store.transact(async (tx) => {
      const batch = new Batch(tx, new SpecCache());
      await batch.lock(
        told.map(([to]) => to),
        { wait: true },
      );
      for (const [to, signal] of told) batch.tell(batch.get(to)!, signal);
      await batch.settle();
      await tx.write(batch.changes({ by: "test", n: 1 })!);
    });
  const end: Signal = { type: "finish", epoch: 1, outcome: { ok: true, result: "1" } };
  await commit([`${id}.0.0`, { type: "claim", workerId: "w" }]);
  await commit([id, INTERRUPT], [`${id}.0.0`, end]);
  const [root] = await store.get([id]);
  expect(root).toMatchObject({ status: "INTERRUPTED", stop: { done: false } });
  await commit([`${id}.0.cleanup0`, { type: "claim", workerId: "w" }]);
  await commit([`${id}.0.cleanup0`, end]);
  expect((await store.get([id]))[0]).toMatchObject({ status: "INTERRUPTED", stop: { done: true } });
  await store.close();
});
