import { MageFlow } from "mageflow";
import { expect, test } from "vitest";
import { folder, program } from "./program.ts";

test("a worker leaves a task alone that it does not know, and one that knows it takes it", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const known = mage.task("known", () => 0);
  const special = mage.task("special", () => 0);
  await using ignorant = program("named-tasks", place.store, place.ledger, "known");
  await ignorant.says("ready");
  const run = await mage.run(special);
  // The worker has looked for work after the special task was there.
  await (await mage.run(known)).result({ timeout: "10s" });
  await (await mage.run(known)).result({ timeout: "10s" });

  expect(await run.view()).toMatchObject({ status: "READY", attempt: 0, workerId: null });
  expect(await mage.unhandled()).toEqual(new Map([["special", 1]]));
  await using expert = program("named-tasks", place.store, place.ledger, "special");
  expect(await run.result({ timeout: "10s" })).toBe(expert.pid);
  expect(await mage.unhandled()).toEqual(new Map());
});
