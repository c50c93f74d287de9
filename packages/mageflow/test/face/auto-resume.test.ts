import { expect, test } from "vitest";
import { type AutoResumeOptions, chain, type MageFlow, swarm } from "../../src/index.ts";
import { eventually } from "./eventually.ts";
import { gate } from "./gate.ts";
import { counts, lostRow, lostWork, type Options, report, stopped } from "./lost-work.ts";
import { onEachStore } from "./on-each-store.ts";

onEachStore("auto-resume", (open, strike) => {
  const { kill, killed, working } = lostWork(open, strike);

  test("goes on at once with what a lost worker held, and reports it", async () => {
    const [id] = await killed(1);
    const mage = working();
    await using worker = await mage.worker();
    const run = await mage.get(id!);
    expect(await run.result()).toBe(0);
    expect(await run.view()).toMatchObject({ recoveries: 1, attempt: 1 });
    const told = await report(mage);
    expect(told).toMatchObject({ reason: "lost worker", by: expect.stringMatching(/^s-/), more: false });
    expect(told.entries).toEqual([
      { id, name: "work", what: "resumed", why: "its worker w-killed was lost" },
    ]);
    expect(counts(told)).toEqual({ resumed: 1 });
    await worker.stop();
  });

  test("parks a task that says so, whoever finds it, until somebody resumes it", async () => {
    const before = open();
    const cleaned: string[] = [];
    const clean = (mage: MageFlow) =>
      mage.task("clean", (_input: unknown, { cause }) => void cleaned.push(cause!.name));
    const once = before.task("once", { autoResume: false }, () => 1).onCleanup(clean(before));
    const { id } = await before.run(once);
    await before.close();
    await kill([id]);
    // It knows nothing of the task.
    const other = open();
    clean(other);
    await using cleaner = await other.worker();
    const run = await other.get(id);
    expect(await run.settled()).toEqual({ id, status: "INTERRUPTED" });
    expect((await run.view()).interrupted).toEqual({ reason: "auto-resume is off for it", clean: false });
    expect(cleaned).toEqual(["once"]);
    expect((await report(other)).entries[0]).toMatchObject({
      id,
      what: "parked",
      why: "auto-resume is off for it",
    });
    await run.resume();
    other.task("once", () => 2);
    await using worker = await other.worker();
    expect(await run.result()).toBe(2);
    await Promise.all([worker.stop(), cleaner.stop()]);
  });

  test.for<[what: string, rules: AutoResumeOptions, own: Options]>([
    ["the switch", { enabled: false, validate: () => false }, {}],
    ["only others", { only: ["work"] }, {}],
    ["the task itself", {}, { autoResume: false }],
  ])("callbacks of what has an outcome go on, whatever %s says", async ([, rules, own]) => {
    const register = (mage: MageFlow) => ({
      work: mage.task("work", () => 1),
      note: mage.task("note", own, () => 2),
      fail: mage.task("fail", () => {
        throw new Error("no");
      }),
    });
    const before = open({ autoResume: rules });
    const { work, note, fail } = register(before);
    const first = await before.worker({ tasks: ["work", "fail"] });
    const runs = [
      await before.run(work.onSuccess(note).onCleanup(note)),
      await before.run(swarm([fail], { onItemError: chain([note]) }).onError(note)),
    ];
    for (const run of runs) await run.result().catch(() => {});
    await first.stop();
    await before.close();
    const inside = [
      [`${runs[0]!.id}.success0`, `${runs[0]!.id}.cleanup0`],
      [`${runs[1]!.id}.0.itemError0.0`, `${runs[1]!.id}.error0`],
    ].flat();
    await kill(inside, {}, lostRow(rules));
    const mage = open({ autoResume: rules });
    register(mage);
    await using worker = await mage.worker();
    for (const [n, status] of ["SUCCEEDED", "FAILED"].entries())
      expect(await (await mage.get(runs[n]!.id)).settled()).toMatchObject({ status });
    expect(counts(await report(mage, 4))).toEqual({ resumed: 4 });
    await worker.stop();
  });

  test("a parked task goes on from its checkpoint and its finished steps", async () => {
    const mage = open();
    const left = gate();
    const steps: number[] = [];
    const task = mage.task("task", { autoResume: false }, async (_input: unknown, ctx) => {
      const step = await ctx.step("step", () => steps.push(ctx.epoch));
      if (ctx.checkpointed !== null) return { step, checkpointed: ctx.checkpointed };
      await ctx.checkpoint({ page: 7 });
      left.open();
      return new Promise<never>((_, reject) => {
        ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason as Error));
      });
    });
    await using worker = await mage.worker();
    const run = await mage.run(task);
    await left.opened;
    const row = lostRow({}, worker.id);
    await strike((tx) => tx.write({ workers: [row] }));
    expect(await run.settled()).toEqual({ id: run.id, status: "INTERRUPTED" });
    expect(counts(await report(mage))).toEqual({ parked: 1 });
    await run.resume();
    expect(await run.result()).toEqual({ step: 1, checkpointed: { page: 7 } });
    expect(steps).toHaveLength(1);
    await worker.stop();
  });

  test("all that was parked inside a container goes on with it, and what was interrupted by itself stays", async () => {
    const mage = open({ actor: "ada" });
    const begun = gate();
    let running = 0;
    const work = mage.task("work", { autoResume: false }, async ({ n }: { n: number }, ctx) => {
      if (ctx.generation > 1) return n;
      if (++running === 5) begun.open();
      return new Promise<never>((_, reject) => {
        ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason as Error));
      });
    });
    const items = [work.with({ n: 0 }), swarm([work, work]).with({ n: 1 }), chain([work.with({ n: 2 })])];
    await using worker = await mage.worker();
    const run = await mage.run(swarm([...items, work.with({ n: 3 })]));
    await begun.opened;
    const byHand = await mage.get(`${run.id}.3`);
    await byHand.interrupt({ reason: "by hand" });
    await strike((tx) => tx.write({ workers: [lostRow({}, worker.id)] }));
    expect(counts(await report(mage, 4))).toEqual({ parked: 4 });
    expect((await run.status()).counts).toMatchObject({ running: 2, interrupted: 2 });

    expect(await Promise.all([run.resume(), run.resume()])).toEqual([{ clean: false }, { clean: false }]);
    await eventually(async () => ((await run.status()).counts.succeeded === 3 ? true : null));
    expect((await byHand.view()).interrupted).toMatchObject({ reason: "by hand" });
    expect(await run.resume()).toEqual({ clean: false });
    const deeds = (await mage.audit.list()).map(({ action, target, details }) => [action, target, details]);
    expect(deeds).toEqual([
      ["interrupt", byHand.id, { grace: 10_000 }],
      ["resume", run.id, { parked: 4 }],
    ]);
    await byHand.resume();
    expect(await run.result()).toMatchObject({ succeeded: 4 });
    await worker.stop();
  });

  test("a process that knows no task parks what is to be parked, and leaves the rest to those that do", async () => {
    const before = open();
    const parked = await before.run(before.task("parked", { autoResume: false }, () => 1));
    await before.close();
    const [left] = await killed(1);
    await kill([parked.id]);
    const bare = open();
    expect((await stopped(bare, parked.id)).status).toBe("INTERRUPTED");
    // It was looked at in the same transaction.
    expect((await (await bare.get(left!)).view()).status).toBe("RUNNING");
    expect(counts(await report(bare))).toEqual({ parked: 1 });
    expect(await bare.unhandled()).toEqual(new Map([["work", 1]]));
    const mage = working();
    await using worker = await mage.worker();
    expect(await (await mage.get(left!)).result()).toBe(0);
    expect((await report(mage)).entries).toMatchObject([{ id: left, what: "resumed" }]);
    await worker.stop();
  });

  test("what is left to others hides nothing that is not", async () => {
    const before = open();
    const other = before.task("other", () => 1);
    const crowd = await Promise.all(Array.from({ length: 510 }, () => before.run(other)));
    const alone: string[] = [];
    for (let n = 0; n < 25; n++) alone.push((await before.run(other)).id);
    // It would take over itself what it sees killed.
    await before.close();
    for (const [n, one] of alone.entries()) await kill([one], {}, { ...lostRow(), id: `w-other-${n}` });
    // Its lease has lapsed last, and it stands behind more tasks than are looked at once.
    const [id] = await killed(1);
    await kill([...crowd.map((run) => run.id), id!], {}, { ...lostRow(), leaseUntil: 2 });
    const mage = working();
    expect((await stopped(mage, id!)).status).toBe("READY");
    const late = open();
    const [lost] = (await late.list({ name: "other", limit: 1 })).items;
    expect(lost!.status).toBe("RUNNING");
    late.task("other", () => 1);
    expect((await stopped(late, lost!.id)).status).toBe("READY");
  });

  test("a task that is registered late takes over what was left", async () => {
    const ids = await killed(2);
    const mage = open();
    const parked = await mage.run(mage.task("parked", { autoResume: false }, () => 1));
    await kill([parked.id], {}, { ...lostRow(), id: "w-other" });
    await stopped(mage, parked.id);
    mage.task("work", () => 1);
    for (const id of ids) expect((await stopped(mage, id)).status).toBe("READY");
  });

  test("stagger lets so many go on a second, and fewer of one task", async () => {
    const rules: AutoResumeOptions = { stagger: { perSecond: 100, jitter: "none" } };
    const ids = await killed(4, { autoResume: { perSecond: 5 } }, rules);
    const mage = working();
    const views = await Promise.all(ids.map((id) => stopped(mage, id)));
    const due = views.map(({ dueAt }) => dueAt ?? 0).sort((a, b) => a - b);
    expect(due.slice(1).every((at) => at > 0)).toBe(true);
    expect([due[2]! - due[1]!, due[3]! - due[2]!]).toEqual([200, 200]);
    await using worker = await mage.worker();
    for (const [n, id] of ids.entries()) expect(await (await mage.get(id)).result()).toBe(n);
    await worker.stop();
  });

  test("too many recoveries are a CRASH_LOOP", async () => {
    const before = open({ autoResume: { maxRecoveries: 2 } });
    const ids = [
      before.task("two", () => 1),
      before.task("three", { autoResume: { maxRecoveries: 3 } }, () => 1),
      before.task("four", { maxRecoveries: 4 }, () => 1),
    ].map(async (task) => (await before.run(task)).id);
    const all = await Promise.all(ids);
    await before.close();
    await kill(all, { recoveries: 2 });
    const mage = working({ maxRecoveries: 9 });
    for (const name of ["two", "three", "four"]) mage.task(name, () => 1);
    await stopped(mage, all[0]!);
    const told = await report(mage, 3);
    expect(counts(told)).toEqual({ resumed: 2, failed: 1 });
    expect(told.entries.find(({ what }) => what === "failed")!.id).toBe(all[0]);
    expect((await (await mage.get(all[0]!)).view()).error?.code).toBe("CRASH_LOOP");
  });
});
