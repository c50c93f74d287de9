import { MageFlow, swarm } from "mageflow";
import { expect, test } from "vitest";
import { folder, program } from "./program.ts";

test("a worker that is told to stop lets tasks end for its grace, and hands the rest over at once", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const takes = mage.task("takes", async (_input: { ms: number }) => ({ pid: 0 }));
  const endless = mage.task("endless", async () => ({ pid: 0 }));
  await using first = program("draining-worker", place.store);
  await first.says("ready");
  const short = await mage.run(takes, { ms: 100 });
  const long = await mage.run(takes, { ms: 900 });
  const lasting = await mage.run(endless);
  await Promise.all(["entered 100", "entered 900", "entered endless"].map((line) => first.says(line)));
  await using second = program("draining-worker", place.store);
  await second.says("ready");

  first.process.kill("SIGTERM");
  await first.says("stopping");
  const later = await mage.run(swarm(Array.from({ length: 20 }, () => takes.with({ ms: 1 }))));
  expect(await first.says("aborted")).toBe("ShutdownError");
  const aborted = performance.now();
  await second.says("entered endless");
  // Not after the lease, which is 15 s.
  expect(performance.now() - aborted).toBeLessThan(5_000);

  expect(await first.ended).toMatchObject({ code: 0, errors: "" });
  expect(await short.result()).toEqual({ pid: first.pid });
  expect(await long.result()).toEqual({ pid: first.pid });
  expect(await lasting.result({ timeout: "10s" })).toEqual({ pid: second.pid });
  expect(await lasting.view()).toMatchObject({ attempt: 1, recoveries: 0 });
  const { results = [] } = await later.result({ timeout: "10s" });
  expect(new Set(results.map(({ result }) => result!.pid))).toEqual(new Set([second.pid]));
  const sessions = await mage.workers();
  expect(sessions.find(({ pid }) => pid === first.pid)!.endedAt).not.toBeNull();
});
