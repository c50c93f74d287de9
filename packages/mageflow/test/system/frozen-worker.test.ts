import { MageFlow } from "mageflow";
import { expect, test } from "vitest";
import { readLedger } from "../../../../scripts/chaos/ledger.ts";
import { folder, freeze, program } from "./program.ts";

test("a worker that was frozen for longer than its lease changes nothing any more", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const note = mage.task("note", () => null);
  const long = mage
    .task("long", () => null)
    .onSuccess(note)
    .onCleanup(note);
  await using zombie = program("long-task", place.store, place.ledger, "2s", "200ms");
  await zombie.says("ready");
  const run = await mage.run(long);
  await zombie.says("entered 1");
  await using owner = program("long-task", place.store, place.ledger, "15s", "1s");
  await owner.says("ready");

  freeze(zombie, place);
  await owner.says("entered 2");
  zombie.process.kill("SIGCONT");
  expect(await zombie.says("aborted")).toBe("SupersededError");
  expect(JSON.parse(await zombie.says("writes"))).toEqual({
    progress: "LEASE_LOST",
    checkpoint: "LEASE_LOST",
    step: "LEASE_LOST",
    run: "LEASE_LOST",
  });
  // The zombie's handler has returned by now, and the owner's is still at work.
  expect(await run.view()).toMatchObject({ status: "RUNNING", attempt: 1, recoveries: 1 });
  owner.tell("finish");

  expect(await run.settled({ timeout: "10s" })).toMatchObject({
    status: "SUCCEEDED",
    result: { epoch: 2, step: 2, checkpointed: null },
  });
  expect((await run.status()).progress.fraction).toBe(1);
  expect((await mage.list({ limit: 10 })).items).toHaveLength(1);
  expect((await run.callbacks()).items).toHaveLength(2);
  const lines = await run.logs();
  expect(lines.map(({ message }) => message)).not.toContain("the first epoch is still here");
  const ended = readLedger(place.ledger).filter(({ what, cause }) => what === "end" && cause === undefined);
  expect(ended.map(({ epoch }) => epoch)).toEqual([2]);
});

test("a worker that was declared dead takes its task again, and ends the run that it had forgotten", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const long = mage.task("long", () => null);
  const note = mage.task("note", () => null);
  await using worker = program("long-task", place.store, place.ledger, "2s", "200ms");
  await worker.says("ready");
  const run = await mage.run(long);
  await worker.says("entered 1");

  freeze(worker, place);
  // The reconciler of this process takes the task away; there is nobody else to run it.
  for await (const { type } of run.events({ since: 0 })) if (type === "recovered") break;
  worker.process.kill("SIGCONT");
  await worker.says("entered 2");
  expect(await worker.says("aborted")).toBe("LeaseLostError");
  worker.tell("finish");
  expect(await run.result({ timeout: "10s" })).toMatchObject({ epoch: 2 });
  expect(await run.view()).toMatchObject({ attempt: 1, recoveries: 1 });
  expect(await (await mage.run(note)).result({ timeout: "10s" })).toBeNull();
  const [session] = await mage.workers();
  expect(session).toMatchObject({ pid: worker.pid, endedAt: null });
});
