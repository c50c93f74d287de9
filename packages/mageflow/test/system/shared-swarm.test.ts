import { MageFlow, swarm } from "mageflow";
import { expect, test } from "vitest";
import { readLedger } from "../../../../scripts/chaos/ledger.ts";
import { folder, program } from "./program.ts";

test("several processes share a swarm: each item once, never more at once than it allows", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const item = mage.task("item", (_input: { ms: number }) => 0);
  await using stack = new AsyncDisposableStack();
  const workers = [1, 2, 3].map(() => stack.use(program("named-tasks", place.store, place.ledger, "item")));
  await Promise.all(workers.map((worker) => worker.says("ready")));

  const items = Array.from({ length: 300 }, (_, i) => item.with({ ms: i % 7 }));
  const run = await mage.run(swarm(items, { concurrency: 10 }));
  const result = await run.result({ timeout: "60s" });

  expect(result).toMatchObject({ total: 300, succeeded: 300 });
  const rows = readLedger(place.ledger);
  const atWork = new Set<string>();
  let most = 0;
  for (const { what, id } of rows) {
    if (what === "start") atWork.add(id!);
    else atWork.delete(id!);
    most = Math.max(most, atWork.size);
  }
  expect(most).toBeLessThanOrEqual(10);
  expect(rows.filter(({ what }) => what === "start")).toHaveLength(300);
  expect(new Set(rows.map(({ key }) => key)).size).toBe(300);
  expect(new Set(rows.map(({ epoch }) => epoch))).toEqual(new Set([1]));
  // They did share it.
  expect(new Set(rows.map(({ pid }) => pid)).size).toBeGreaterThan(1);
});
