import { expect, test } from "vitest";
import { chain, swarm } from "../../src/index.ts";
import { eventually } from "./eventually.ts";
import { onEachStore } from "./on-each-store.ts";

onEachStore("batch", (open) => {
  test("edits many that have not started, all or none", async () => {
    const editor = open();
    const order: number[] = [];
    const task = editor.task("task", ({ n }: { n: number }) => void order.push(n));
    const runs = await Promise.all([1, 2, 3].map((n) => editor.create(task.with({ n }))));
    await editor.batch((edits) => {
      edits.set(runs[0]!, { priority: 1, tags: ["first"] });
      edits.set(runs[1]!, { with: { n: 20 }, priority: 3 });
      edits.set(runs[2]!, { priority: 2 });
    });
    expect((await editor.list({ tag: "first" })).items.map(({ id }) => id)).toEqual([runs[0]!.id]);
    await expect(
      editor.batch((edits) => {
        edits.set(runs[0]!, { priority: 9 });
        edits.set({ id: "none" }, { priority: 9 });
      }),
    ).rejects.toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
    for (const run of runs) await run.start();
    // Whatever brings tasks knows of all of them before there is a worker.
    await editor.close();
    const mage = open();
    mage.task("task", ({ n }: { n: number }) => void order.push(n));
    await using worker = await mage.worker({ concurrency: 1 });
    for (const { id } of runs) await (await mage.get(id)).settled();
    expect(order).toEqual([20, 3, 1]);
    await expect(mage.batch((edits) => edits.set(runs[0]!, { priority: 1 }))).rejects.toThrow(
      expect.objectContaining({ code: "ILLEGAL_TRANSITION" }),
    );
    await worker.stop();
  });

  test("changes all that there is to change, at once, or nothing when one of them has begun", async () => {
    const mage = open();
    const seen: string[] = [];
    const note = mage.task(
      "note",
      (_input: unknown, ctx) => void seen.push(`${ctx.signature.role} of ${ctx.cause!.name}`),
    );
    const good = mage.task("good", ({ n }: { n: number }) => n);
    const bad = mage.task("bad", () => {
      throw new Error("no");
    });
    const begun = mage.task("begun", () => 1);
    await using other = await mage.worker({ tasks: ["begun"] });
    const runs = [
      await mage.create(good.with({ n: 1 })),
      await mage.create(bad),
      await mage.run(begun),
    ] as const;
    await runs[2].result();
    const edit = { priority: 3, tags: ["edited"], onSuccess: note, onError: note, onCleanup: note };
    const all = mage.batch((edits) => {
      edits.set(runs[0], { ...edit, with: { n: 2 } });
      for (const run of runs.slice(1)) edits.set(run, edit);
    });
    await expect(all).rejects.toThrow(expect.objectContaining({ code: "ILLEGAL_TRANSITION" }));
    expect((await mage.list({ tag: "edited" })).items).toEqual([]);
    expect(await runs[0].view()).toMatchObject({ priority: 0, tags: [] });
    expect(await mage.audit.list()).toEqual([]);
    const failing = mage.batch(async (edits) => {
      edits.set(runs[0], edit);
      await Promise.reject(new Error("changed my mind"));
    });
    await expect(failing).rejects.toThrow("changed my mind");

    await mage.batch((edits) => {
      edits.set(runs[0], { ...edit, with: { n: 2 } });
      edits.set(runs[1], edit);
      edits.set(runs[0], { priority: 4, onSuccess: note });
    });
    const found = (await mage.list({ tag: "edited" })).items;
    expect(found.map(({ priority }) => priority).toSorted((a, b) => a - b)).toEqual([3, 4]);
    const callbacks = ["success", "error", "cleanup"];
    const edited = { with: false, priority: 3, tags: ["edited"], callbacks };
    expect((await mage.audit.list()).map(({ action, details }) => [action, details])).toEqual([
      ["edit", { ...edited, with: true }],
      ["edit", edited],
      ["edit", { with: false, priority: 4, tags: null, callbacks: ["success"] }],
    ]);
    await using worker = await mage.worker();
    await Promise.all([runs[0].start(), runs[1].start()]);
    expect(await runs[0].settled()).toMatchObject({ status: "SUCCEEDED", result: 2 });
    expect(await runs[1].settled()).toMatchObject({ status: "FAILED" });
    expect(seen.toSorted()).toEqual([
      "cleanup of bad",
      "cleanup of good",
      "error of bad",
      "success of good",
      "success of good",
    ]);
    await Promise.all([other.stop(), worker.stop()]);
  });

  test("refuses edits that come when it has been made", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    let late = (): void => {};
    await mage.batch((edits) => {
      late = () => edits.set(run, { priority: 1 });
    });
    expect(late).toThrow("the batch has been made already");
  });

  test("refuses more edits than one transaction should hold", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    const many = mage.batch((edits) => {
      for (let n = 0; n <= 10_000; n++) edits.set(run, { priority: 1 });
    });
    await expect(many).rejects.toThrow("one batch has more than 10000 edits; make several");
    expect(await run.view()).toMatchObject({ priority: 0 });
  });

  test("refuses what an edit does not have, and tags of what is no root", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const run = await mage.create(swarm([task]));
    const item = await mage.get(`${run.id}.0`);
    await expect(mage.batch((edits) => edits.set(run, { prioritY: 1 } as object))).rejects.toThrow(
      'an edit has no option "prioritY"',
    );
    await expect(mage.batch((edits) => edits.set(item, { tags: ["a"] }))).rejects.toThrow(
      expect.objectContaining({ code: "INVALID_PLAN" }),
    );
  });

  test("tells a cleanup how what it follows came to its end", async () => {
    const mage = open();
    const outcomes: string[] = [];
    const clean = mage.task("clean", (_input: unknown, ctx) => void outcomes.push(ctx.cause!.outcome));
    const task = mage.task("task", () => 1);
    const runs = await Promise.all([1, 2].map(() => mage.create(task.onCleanup(clean))));
    await runs[0]!.interrupt();
    const plan = await runs[1]!.planCancel();
    await plan.confirm();
    await using worker = await mage.worker();
    await eventually(async () => (outcomes.length === 2 ? outcomes : null));
    expect(outcomes.toSorted()).toEqual(["cancel", "interrupt"]);
    await worker.stop();
  });

  test("adds callbacks to one of many that share what they were made from", async () => {
    const mage = open();
    const seen: string[] = [];
    const note = mage.task(
      "note",
      (_input: unknown, ctx) => void seen.push(`${ctx.signature.role} of ${ctx.cause!.id}`),
    );
    const task = mage.task("task", () => 1);
    const run = await mage.create(swarm([task, task, task]));
    const second = await mage.get(`${run.id}.1`);
    await mage.batch((edits) => edits.set(second, { onSuccess: chain([note]), onCleanup: note }));
    await run.start();
    await using worker = await mage.worker();
    await run.settled();
    expect(seen).toEqual(
      [`success of ${second.id}`, `cleanup of ${second.id}`].map((text) => text.replace("success", "step")),
    );
    await worker.stop();
  });
});
