import { MageFlow, swarm } from "mageflow";
import { expect, test } from "vitest";
import { readLedger } from "../../../../scripts/chaos/ledger.ts";
import { folder, program } from "./program.ts";

test("a task that keeps killing its worker fails with CRASH_LOOP, the others do not suffer", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const note = mage.task("note", () => null as string | null);
  const poison = mage.task("poison", { maxRecoveries: 3 }, () => null);
  const bystander = mage.task("bystander", { maxRecoveries: 50 }, () => 0);
  const run = await mage.run(poison.onSuccess(note).onError(note).onCleanup(note));
  const bystanders = await mage.run(swarm(Array.from({ length: 20 }, () => bystander)));

  let over = false;
  const settled = Promise.all([run.settled(), bystanders.settled()]).finally(() => (over = true));
  // A supervisor: what ends is started again.
  const supervised = (async () => {
    while (!over) {
      await using worker = program("poison", place.store, place.ledger);
      await Promise.race([worker.ended, settled]);
    }
  })();
  const [outcome, others] = await settled;
  await supervised;

  expect(outcome).toMatchObject({ status: "FAILED", error: { code: "CRASH_LOOP", attempts: 1 } });
  expect(outcome.error!.message).toContain("maxRecoveries of 3");
  expect(await run.view()).toMatchObject({ attempt: 1, recoveries: 4 });
  const callbacks = (await run.callbacks()).items;
  expect(callbacks.map(({ role, status }) => `${role} ${status}`)).toEqual([
    "cleanup SUCCEEDED",
    "error SUCCEEDED",
  ]);
  const error = callbacks.find(({ role }) => role === "error")!;
  expect(await (await mage.get(error.id)).result()).toBe("CRASH_LOOP");
  const starts = readLedger(place.ledger);
  expect(starts.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
  expect(new Set(starts.map(({ key }) => key)).size).toBe(1);
  // Those at work in the crashed workers lost a run, not an attempt.
  expect(others.result).toMatchObject({ total: 20, succeeded: 20, failed: 0 });
  expect(others.result!.results?.map(({ result }) => result)).toEqual(Array(20).fill(1));
  const items = (await bystanders.children()).items;
  expect(items.some(({ recoveries }) => recoveries > 0)).toBe(true);
});
