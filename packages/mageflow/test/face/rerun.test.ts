import { expect, test } from "vitest";
import { chain, swarm } from "../../src/index.ts";
import { onEachStore } from "./on-each-store.ts";

onEachStore("rerun", (open) => {
  test("begins again, whole, in the next generation, and clears the mark", async () => {
    const mage = open();
    const seen: string[] = [];
    const note = mage.task("note", (_input: unknown, ctx) => void seen.push(`note ${ctx.cause!.generation}`));
    const item = mage.task("item", async ({ n }: { n: number }, ctx) => {
      await ctx.step("s", () => void seen.push(`step ${n}`));
      seen.push(`from ${JSON.stringify(ctx.checkpointed)}`);
      await ctx.checkpoint(n);
      return { n };
    });
    await using worker = await mage.worker();
    const run = await mage.run(
      swarm([chain([item.with({ n: 1 }), item]), item.with({ n: 2 })]).onSuccess(note),
    );
    await run.settled();
    const before = seen.splice(0);
    await run.delete({ after: "1h" });
    await run.rerun();
    await run.settled();
    expect(await run.view()).toMatchObject({ status: "SUCCEEDED", generation: 2, deletion: null });
    expect(seen.toSorted()).toEqual(before.map((text) => (text === "note 1" ? "note 2" : text)).toSorted());
    expect((await run.callbacks()).items.map(({ status }) => status)).toEqual(["SUCCEEDED", "SUCCEEDED"]);
    expect(await run.result()).toMatchObject({ total: 2, succeeded: 2 });
    await worker.stop();
  });

  test("takes another message, and what failed may succeed", async () => {
    const mage = open();
    const task = mage.task("task", ({ ok }: { ok: boolean }) => {
      if (!ok) throw new Error("no");
      return "fine";
    });
    await using worker = await mage.worker();
    const run = await mage.run(chain([task]), { ok: false });
    expect(await run.settled()).toMatchObject({ status: "FAILED" });
    await run.rerun({ ok: true });
    expect(await run.result()).toBe("fine");
    await worker.stop();
  });

  test("resets thousands window by window", async () => {
    const mage = open();
    const item = mage.task("item", ({ n }: { n: number }) => n);
    await using worker = await mage.worker({ concurrency: 500 });
    const run = await mage.run(
      swarm(
        Array.from({ length: 1_700 }, (_, n) => item.with({ n })),
        { concurrency: 500 },
      ),
    );
    await run.settled();
    await run.rerun();
    expect(await run.settled()).toMatchObject({ status: "SUCCEEDED" });
    expect((await run.status()).counts).toMatchObject({ total: 1_700, succeeded: 1_700 });
    await worker.stop();
  });

  test("of what has not ended, or is inside another, is refused", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const run = await mage.run(chain([task]));
    const illegal = expect.objectContaining({ code: "ILLEGAL_TRANSITION" });
    await expect(run.rerun()).rejects.toThrow(illegal);
    await using worker = await mage.worker();
    await run.settled();
    await expect((await mage.get(`${run.id}.0`)).rerun()).rejects.toThrow(illegal);
    await worker.stop();
  });
});
