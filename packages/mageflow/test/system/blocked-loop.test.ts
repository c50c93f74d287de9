import { MageFlow, swarm } from "mageflow";
import { expect, test } from "vitest";
import { readLedger } from "../../../../scripts/chaos/ledger.ts";
import { folder, program } from "./program.ts";

test("a task that blocks the event loop keeps its lease, and is not run twice", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const block = mage.task("block", (_input: { ms: number }) => 0);
  const quick = mage.task("quick", () => 0);
  await using first = program("blocking", place.store, place.ledger);
  await using second = program("blocking", place.store, place.ledger);
  await Promise.all([first.says("ready"), second.says("ready")]);

  const run = await mage.run(block, { ms: 3_000 });
  for await (const { type } of run.events({ since: 0 })) if (type === "started") break;
  const others = await mage.run(swarm(Array.from({ length: 20 }, () => quick)));
  const by = await run.result({ timeout: "20s" });
  expect((await others.result({ timeout: "20s" })).succeeded).toBe(20);

  expect(await run.view()).toMatchObject({ attempt: 1, recoveries: 0 });
  expect(readLedger(place.ledger).map(({ what, epoch, pid }) => ({ what, epoch, pid }))).toEqual([
    { what: "start", epoch: 1, pid: by },
    { what: "end", epoch: 1, pid: by },
  ]);
  const sessions = await mage.workers();
  expect(sessions.map(({ endedAt }) => endedAt)).toEqual([null, null]);
});
