import { once } from "node:events";
import { expect, test } from "vitest";
import { CancelledError, chain, GoneError } from "../../src/index.ts";
import { eventually } from "./eventually.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

onEachStore("a cancellation whose cleanups are given up", (open) => {
  test("is ended by purgeNow when a cleanup does not end, whose code is told and then given up", async () => {
    const mage = open({ actor: "ada" });
    const signals: string[] = [];
    const [listening, reached, finish] = [gate(), gate(), gate()];
    const heeds = mage.task("heeds", async (_input: unknown, { signal }) => {
      listening.open();
      await once(signal, "abort");
      signals.push((signal.reason as Error).name);
      throw signal.reason;
    });
    const late: unknown[] = [];
    const deaf = mage.task("deaf", async (_input: unknown, ctx) => {
      reached.open();
      await finish.opened;
      await ctx.checkpoint(1).catch((error: unknown) => late.push(error));
    });
    const task = mage.task("task", () => 1);
    await using worker = await mage.worker();
    const runs = [
      await mage.create(task.onCleanup(heeds)),
      await mage.create(chain([task]).onCleanup(chain([deaf.onCleanup(task)]))),
    ];
    for (const run of runs) await (await run.planCancel()).confirm({ reason: "wrong input" });
    await Promise.all([listening.opened, reached.opened]);
    await expect(runs[1]!.purgeNow()).rejects.toThrow(
      `"${runs[1]!.id}.cleanup0.0" (deaf, RUNNING); wait for its cleanups, or give them up with abandonCleanups`,
    );
    for (const run of runs) await run.purgeNow({ abandonCleanups: true, reason: "it hangs" });
    for (const run of runs) {
      expect(await mage.tombstone(run.id)).toMatchObject({ action: "cancel", reason: "wrong input" });
      await expect(run.result()).rejects.toThrow(CancelledError);
    }
    expect(signals).toEqual(["InterruptedError"]);
    const row = (await mage.audit.list())[2]!;
    expect(row).toMatchObject({ action: "purge", actor: "ada", target: runs[0]!.id, reason: "it hangs" });
    const abandoned = [{ id: `${runs[0]!.id}.cleanup0`, name: "heeds", status: "RUNNING" }];
    expect(row.details).toEqual({ abandoned });
    finish.open();
    await eventually(async () => (late.length > 0 ? true : null));
    expect(late).toEqual([expect.objectContaining({ code: "LEASE_LOST" })]);
    await worker.stop();
  });

  test.for(["unknown", "interrupted", "suspended"])(
    "is ended by purgeNow when a cleanup is %s, and what runs has stopped",
    async (state) => {
      const mage = open();
      const [started, finish] = [gate(), gate()];
      const task = mage.task("task", async () => {
        started.open();
        await finish.opened;
      });
      const clean = mage.task("clean", () => 1);
      const run = await mage.run(chain([task]).onCleanup(clean), undefined, { key: "k" });
      await using worker = await mage.worker({ tasks: ["task"] });
      await started.opened;
      await expect(run.purgeNow({ abandonCleanups: true })).rejects.toThrow("or cancel the workflow");
      const plan = await run.planCancel();
      await plan.confirm({ grace: "1h" });
      await expect(run.purgeNow({ abandonCleanups: true })).rejects.toThrow(
        `"${run.id}.0" has its grace to stop; wait for it, or confirm the cancellation again with a shorter one`,
      );
      await plan.confirm({ grace: 0 });
      const cleanup = await mage.get(`${run.id}.cleanup0`);
      await eventually(async () => ((await cleanup.view()).status === "READY" ? true : null));
      if (state === "interrupted") await cleanup.interrupt();
      if (state === "suspended") await cleanup.suspend();
      await expect(run.purgeNow()).rejects.toThrow("give them up with abandonCleanups");
      await run.purgeNow({ abandonCleanups: true });
      await expect(mage.get(run.id)).rejects.toThrow(GoneError);
      expect(await run.settled()).toMatchObject({ status: "CANCELLED" });
      finish.open();
      await worker.stop();
    },
  );
});
