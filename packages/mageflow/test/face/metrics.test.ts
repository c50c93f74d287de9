import { expect, test } from "vitest";
import { onEachStore } from "./on-each-store.ts";

onEachStore("metrics", (open) => {
  test("count what this process has committed, failed cleanups apart", async () => {
    const mage = open();
    const bad = mage.task("bad", { retry: { attempts: 3, backoff: { type: "fixed", delay: 0 } } }, () => {
      throw new Error("boom");
    });
    const good = mage.task("good", () => 1);
    await using worker = await mage.worker();
    await (await mage.run(good.onCleanup(bad).onCleanup(good))).settled();
    const interrupted = await mage.run(good, undefined, { delay: "1h" });
    await interrupted.interrupt();
    expect(await mage.metrics()).toEqual({
      commits: expect.any(Number),
      claims: 5,
      retries: 2,
      recoveries: 0,
      succeeded: 2,
      failed: 1,
      skipped: 0,
      interrupted: 1,
      cancelled: 0,
      cleanups: 2,
      cleanupsFailed: 1,
      mended: 0,
    });
    await worker.stop();
  });

  test("are of this process alone", async () => {
    const one = open();
    const task = one.task("task", () => 1);
    const other = open();
    await using worker = await one.worker();
    await (await one.run(task)).settled();
    expect(await one.metrics()).toMatchObject({ claims: 1, succeeded: 1 });
    expect(await other.metrics()).toMatchObject({ claims: 0, succeeded: 0 });
    await worker.stop();
  });
});
