import { MageFlow } from "mageflow";
import { expect, test } from "vitest";
import { folder } from "./program.ts";

test("the slot of a handler that ignores its signal stays taken until it ends", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const deaf = Promise.withResolvers<string>();
  let aborted: unknown = null;
  const ignores = mage.task("ignores", { timeout: "100ms" }, async (_input: unknown, ctx) => {
    ctx.signal.addEventListener("abort", () => (aborted = ctx.signal.reason));
    return deaf.promise;
  });
  const entered: number[] = [];
  const next = mage.task("next", ({ n }: { n: number }) => void entered.push(n));
  await using worker = await mage.worker({ concurrency: 1, grace: "200ms" });

  const began = performance.now();
  const run = await mage.run(ignores.onCleanup(next.with({ n: 0 })));
  const waiting = await mage.run(next, { n: 1 });
  // Decided by the time-out and the grace, not by the handler.
  await expect(run.result({ timeout: "5s" })).rejects.toMatchObject({ error: { code: "TIMEOUT" } });
  expect(performance.now() - began).toBeGreaterThan(290);
  expect(aborted).toMatchObject({ code: "TIMEOUT" });
  expect(worker.running).toBe(1);
  // Several rounds of the reconciler would hand the tasks out if the slot were free.
  await expect(waiting.result({ timeout: "1500ms" })).rejects.toMatchObject({ code: "WAIT_TIMEOUT" });
  expect((await waiting.view()).status).toBe("READY");
  expect(entered).toEqual([]);

  deaf.resolve("too late");
  await waiting.result({ timeout: "5s" });
  expect(await run.settled({ timeout: "5s" })).toMatchObject({
    status: "FAILED",
    error: { code: "TIMEOUT" },
  });
  expect(new Set(entered)).toEqual(new Set([0, 1]));
});
