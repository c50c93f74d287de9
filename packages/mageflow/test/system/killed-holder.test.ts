import { existsSync } from "node:fs";
import { MageFlow } from "mageflow";
import { expect, test } from "vitest";
import { folder, program } from "./program.ts";

test("what a killed worker held is released by another one when its task is cancelled and never runs again", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const hold = mage.task("hold", (_input: { path: string }) => null);
  const path = place.path("held");
  await using first = program("holding", place.store, "hold", "remove");
  await first.says("ready");
  const run = await mage.run(hold, { path });
  await first.says("holds 1");
  first.process.kill("SIGKILL");
  await first.ended;
  expect(existsSync(path)).toBe(true);
  await (await run.planCancel()).confirm({ reason: "not wanted", grace: 0 });
  // It runs what removes, and nothing else.
  await using second = program("holding", place.store, "remove");
  expect(await second.says("removed")).toBe("after cancel");
  expect(await run.settled({ timeout: "10s" })).toEqual({ id: run.id, status: "CANCELLED" });
  expect(existsSync(path)).toBe(false);
});

test("what a task held that kills its workers is released once when it ends as a CRASH_LOOP", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const hold = mage.task("hold", { maxRecoveries: 1 }, (_input: { path: string }) => null);
  const path = place.path("held");
  const run = await mage.run(hold, { path });
  for (const epoch of [1, 2]) {
    await using worker = program("holding", place.store, "hold");
    await worker.says("ready");
    await worker.says(`holds ${epoch}`);
    worker.process.kill("SIGKILL");
    await worker.ended;
  }
  await using last = program("holding", place.store, "hold", "remove");
  expect(await last.says("removed")).toBe("after error");
  expect(await run.settled({ timeout: "10s" })).toMatchObject({ error: { code: "CRASH_LOOP" } });
  expect(existsSync(path)).toBe(false);
  const { items } = await run.callbacks();
  expect(items.map(({ role, status }) => [role, status])).toEqual([["cleanup", "SUCCEEDED"]]);
});
