import { MageFlow } from "mageflow";
import { expect, test } from "vitest";
import { readLedger } from "../../../../scripts/chaos/ledger.ts";
import { folder, program } from "./program.ts";

test("a task whose worker is killed waits, if it is not to go on by itself, until it is resumed by hand", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const clean = mage.task("clean", () => undefined);
  const careful = mage.task("careful", { autoResume: false }, () => null).onCleanup(clean);
  const args = [place.store, place.ledger] as const;
  await using first = program("parked-task", ...args);
  await first.says("ready");
  const run = await mage.run(careful);
  await first.says("saved");
  first.process.kill("SIGKILL");
  await using second = program("parked-task", ...args);
  expect(await second.says("cleaned")).toBe("careful");
  expect(await run.settled({ timeout: "10s" })).toEqual({ id: run.id, status: "INTERRUPTED" });
  const reports = await mage.resumeReports();
  expect(reports.reduce((sum, { parked }) => sum + parked, 0)).toBe(1);
  const told = reports.find(({ parked }) => parked > 0)!;
  expect(told.entries.find(({ what }) => what === "parked")).toEqual({
    id: run.id,
    name: "careful",
    what: "parked",
    why: "auto-resume is off for it",
  });

  await run.resume();
  const settled = await run.settled({ timeout: "10s" });
  expect(settled).toMatchObject({
    status: "SUCCEEDED",
    result: { first: first.pid, checkpointed: { page: 3 } },
  });
  expect(await run.view()).toMatchObject({ generation: 2, recoveries: 0 });
  expect(readLedger(place.ledger).filter(({ what }) => what === "start")).toHaveLength(1);
});
