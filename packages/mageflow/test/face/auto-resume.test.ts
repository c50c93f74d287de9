import { expect, test } from "vitest";
import * as v from "valibot";
import {
  type AutoResumeOptions,
  chain,
  MageFlow,
  type ResumeReport,
  type SignatureView,
  swarm,
  type TaskAutoResume,
  type TaskOptions,
  type WorkerRow,
} from "../../src/index.ts";
import type { SignatureRecord } from "../../src/core/record.ts";
import { autoResume } from "../../src/runtime/auto-resume.ts";
import { eventually } from "./eventually.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

type Options = Pick<TaskOptions, "version" | "autoResume">;

const COUNTS = ["resumed", "started", "kept", "skipped", "parked", "failed"] as const;

/** What a report counts, but for zeros. */
function counts(report: ResumeReport | undefined): Record<string, number> {
  expect(COUNTS.reduce((sum, count) => sum + report![count], 0)).toBe(report!.seen);
  return Object.fromEntries(
    COUNTS.filter((count) => report![count] > 0).map((count) => [count, report![count]]),
  );
}

/** The newest report of this reason, when it has seen so many. */
function report(
  mage: MageFlow,
  seen = 1,
  reason: ResumeReport["reason"] = "lost worker",
): Promise<ResumeReport> {
  return eventually(async () => {
    const newest = (await mage.resumeReports()).find((one) => one.reason === reason);
    return newest?.seen === seen && !newest.more ? newest : null;
  });
}

/** The view of a signature when it runs no more. Who waits for one looks after what lost workers held. */
async function stopped(mage: MageFlow, id: string): Promise<SignatureView> {
  const run = await mage.get(id);
  void run.settled().catch(() => {});
  return eventually(async () => {
    const view = await run.view();
    return view.status === "RUNNING" ? null : view;
  });
}

/** The row that a worker leaves behind that was killed under these rules. */
function lostRow(rules: AutoResumeOptions = {}, id = "w-killed"): WorkerRow {
  const row = {
    id,
    host: "h",
    pid: 1,
    tasks: ["work"],
    concurrency: 1,
    startedAt: 1,
    leaseUntil: 1,
    endedAt: null,
  };
  return { ...row, autoResume: autoResume(rules).rules };
}

onEachStore("auto-resume", (open, strike) => {
  /** Leaves these behind as a worker does that was killed: they run, and its lease has lapsed. */
  async function kill(
    ids: readonly string[],
    changes: Partial<SignatureRecord> = {},
    worker: WorkerRow = lostRow(),
  ): Promise<void> {
    await strike(async (tx) => {
      const { records } = await tx.lock(ids, { wait: true });
      const running = {
        status: "RUNNING",
        workerId: worker.id,
        epoch: 1,
        attempt: 1,
        startedAt: 1,
      } as const;
      const update = records.map((record) => ({ ...record, ...running, ...changes }));
      await tx.write({ update, workers: [worker] });
    });
  }

  /** Ids of tasks that ran on a worker that was killed, in a store that nobody has open. */
  async function killed(count: number, options: Options = {}, rules?: AutoResumeOptions): Promise<string[]> {
    const before = open();
    const work = before.task("work", options, (input: { n: number }) => input.n);
    const ids: string[] = [];
    for (let n = 0; n < count; n++) ids.push((await before.run(work.with({ n }))).id);
    await before.close();
    await kill(ids, {}, lostRow(rules));
    return ids;
  }

  function working(autoResume: AutoResumeOptions = {}, options: Options = {}): MageFlow {
    const mage = open({ autoResume });
    mage.task("work", options, (input: { n: number }) => input.n);
    return mage;
  }

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

  test.for<[what: string, rules: AutoResumeOptions, status: string, why: string]>([
    ["the switch", { enabled: false }, "INTERRUPTED", "auto-resume is off for it"],
    ["only others", { only: ["other"] }, "INTERRUPTED", "auto-resume is off for it"],
    ["except", { except: ["work"] }, "INTERRUPTED", "auto-resume is off for it"],
    ["only it", { only: ["work"], except: ["other"] }, "READY", "its worker w-killed was lost"],
  ])("%s of the lost worker decides, whatever that of the finder says", async ([, rules, status, why]) => {
    const [id] = await killed(1, {}, rules);
    const mage = working({ enabled: status !== "READY" });
    expect((await stopped(mage, id!)).status).toBe(status);
    expect((await report(mage)).entries[0]).toMatchObject({ id, why });
  });

  test("a worker leaves its rules", async () => {
    const mage = working({ except: ["work"], stagger: { perSecond: 3 }, maxRecoveries: 1 });
    await using worker = await mage.worker();
    expect((await mage.workers(1))[0]!.autoResume).toEqual({
      enabled: true,
      only: null,
      except: ["work"],
      stagger: { perSecond: 3, jitter: "full" },
    });
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

  test.for<[stored: TaskOptions["version"], registered: Options, status: string, why: string | RegExp]>([
    [2, { version: 2 }, "READY", "its worker w-killed was lost"],
    ["a", { version: "a" }, "READY", "its worker w-killed was lost"],
    [1, { version: 2 }, "INTERRUPTED", "it was stored as version 1, and its task is registered as version 2"],
    [
      undefined,
      { version: "2" },
      "INTERRUPTED",
      'it was stored without a version, and its task is registered as version "2"',
    ],
    [2, {}, "INTERRUPTED", "it was stored as version 2, and its task is registered without a version"],
    [
      2,
      { version: 3, autoResume: { compatible: (a, b) => Number(a) + 1 === Number(b) } },
      "READY",
      "its worker w-killed was lost",
    ],
    [
      2,
      {
        version: 3,
        autoResume: {
          compatible: () => {
            throw new Error("no idea");
          },
        },
      },
      "INTERRUPTED",
      "it was stored as version 2, and its task is registered as version 3; compatible threw: no idea",
    ],
  ])("stored as version %s, found by %j: %s", async ([version, registered, status, why]) => {
    const [id] = await killed(1, version === undefined ? {} : { version });
    const mage = working({}, registered);
    expect((await stopped(mage, id!)).status).toBe(status);
    expect((await report(mage)).entries[0]).toMatchObject({ id, why });
  });

  /** Ids of a task that its worker has handed back with a checkpoint, and of one that lost its worker and that others let go on. */
  async function leftBehind(options: Options): Promise<[handed: string, lost: string]> {
    const mage = open();
    const [reached, left] = [gate(), gate()];
    const task = mage.task("work", options, async (_input: unknown, ctx) => {
      await ctx.checkpoint(ctx.epoch);
      reached.open();
      await left.opened;
    });
    const worker = await mage.worker({ grace: 1 });
    const handed = await mage.run(task);
    await reached.opened;
    await worker.stop();
    left.open();
    const lost = await mage.run(task);
    await kill([lost.id]);
    expect((await stopped(mage, lost.id)).status).toBe("READY");
    return [handed.id, lost.id];
  }

  test.for<[what: string, before: Options, after: Options, rules: AutoResumeOptions, why: string]>([
    [
      "another version",
      { version: 1 },
      { version: 2 },
      {},
      "it was stored as version 1, and its task is registered as version 2",
    ],
    ["a validator", {}, {}, { validate: () => false }, "refused by validate"],
  ])(
    "%s of the worker that takes it is asked, though it was handed back or others let it go on",
    async (row) => {
      const [, before, after, rules, why] = row;
      const ids = await leftBehind(before);
      const mage = open({ autoResume: rules });
      const runs: unknown[] = [];
      const task = mage.task("work", after, (_input: unknown, ctx) => {
        runs.push([ctx.checkpointed, ctx.generation]);
      });
      await using worker = await mage.worker();
      await (await mage.run(task)).result();
      for (const id of ids) {
        const run = await mage.get(id);
        expect(await run.settled()).toEqual({ id, status: "INTERRUPTED" });
        expect((await run.view()).interrupted).toEqual({ reason: why, clean: false });
      }
      expect(runs).toEqual([[null, 1]]);
      const told = await report(mage, 2, "refused");
      expect(told).toMatchObject({ by: worker.id, parked: 2 });
      expect(told.entries[0]).toMatchObject({ name: "work", what: "parked", why });
      // Whoever resumes it by hand has decided.
      const [handed] = ids;
      await (await mage.get(handed)).resume();
      await (await mage.get(handed)).result();
      expect(runs.at(-1)).toEqual([1, 2]);
      await worker.stop();
    },
  );

  test("what was handed back goes on where its version and its validators agree", async () => {
    const ids = await leftBehind({ version: 1 });
    const mage = open({ autoResume: { validate: async () => true } });
    mage.task("work", { version: 1 }, (_input: unknown, ctx) => [ctx.checkpointed, ctx.generation]);
    await using worker = await mage.worker();
    const results = await Promise.all(ids.map(async (id) => (await mage.get(id)).result()));
    expect(results).toEqual([
      [1, 1],
      [null, 1],
    ]);
    await worker.stop();
  });

  test("a retry is not asked, be it after a run that was handed back", async () => {
    const old = open();
    const reached = gate();
    const task = old.task(
      "work",
      { version: 1, retry: { attempts: 2, backoff: { type: "fixed", delay: "1s" } } },
      async (_input: unknown, ctx) => {
        reached.open();
        if (ctx.epoch === 1) await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
        throw new Error("no");
      },
    );
    const first = await old.worker({ grace: 1 });
    const run = await old.run(task);
    await reached.opened;
    await first.stop();
    const second = await old.worker();
    await eventually(async () => ((await run.view()).attempt === 2 ? true : null));
    await second.stop();
    const mage = open();
    mage.task("work", { version: 2 }, (_input: unknown, ctx) => ctx.attempt);
    await using worker = await mage.worker();
    expect(await (await mage.get(run.id)).result().catch((error: unknown) => error)).toBe(2);
    await worker.stop();
  });

  test.for<[what: string, options: AutoResumeOptions, own: TaskAutoResume, status: string, why: string]>([
    ["a validator", { validate: () => false }, {}, "INTERRUPTED", "refused by validate"],
    ["one that waits", { validate: async () => true }, {}, "READY", "its worker w-killed was lost"],
    ["the task's own", {}, { validate: ({ id }) => id === "x" }, "INTERRUPTED", "refused by validate"],
    [
      "one that throws",
      {
        validate: () => {
          throw new Error("no idea");
        },
      },
      {},
      "INTERRUPTED",
      "refused by validate, which threw: no idea",
    ],
  ])("%s decides", async ([, options, own, status, why]) => {
    const [id] = await killed(1);
    const mage = working(options, { autoResume: own });
    expect((await stopped(mage, id!)).status).toBe(status);
    expect((await report(mage)).entries[0]).toMatchObject({ id, why });
  });

  test("an input that does not fit any more is parked", async () => {
    const [id] = await killed(1);
    const mage = open();
    mage.task("work", { input: v.object({ n: v.pipe(v.number(), v.minValue(5)) }) }, ({ n }) => n);
    expect((await stopped(mage, id!)).status).toBe("INTERRUPTED");
    const why = "its input does not fit any more: $.n: Invalid value: Expected >=5 but received 0";
    expect((await report(mage)).entries[0]).toMatchObject({ id, what: "parked", why });
  });

  test("a validator may ask MageFlow itself", async () => {
    const [id] = await killed(1);
    const mage: MageFlow = working({
      validate: async (view) => (await (await mage.get(view.id)).view()).status === "RUNNING",
    });
    await using worker = await mage.worker();
    expect(await (await mage.get(id!)).result()).toBe(0);
    await worker.stop();
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

  test("a start tells what becomes of every open workflow, once", async () => {
    const before = open();
    const work = before.task("work", () => 1);
    const fails = before.task("fails", () => {
      throw new Error("no");
    });
    const never = before.task("never", () => 1);
    await using worker = await before.worker({ tasks: ["work", "fails"] });
    await (await before.run(work)).settled();
    const failed = await before.run(fails.onError(never));
    await failed.result().catch(() => {});
    const suspended = await before.run(chain([never, work]));
    await suspended.suspend();
    const interrupted = await before.run(never);
    await interrupted.interrupt({ reason: "by hand" });
    const created = await before.create(never);
    const ready = await before.run(never);
    const later = await before.run(never, undefined, { delay: "1h" });
    const lost = await before.run(never);
    await worker.stop();
    await before.close();
    await kill([lost.id]);

    const first = open();
    for (const name of ["work", "never"]) first.task(name, () => 1);
    await first.reconcile();
    const told = await report(first, 6, "start");
    expect(counts(told)).toEqual({ started: 2, kept: 3, skipped: 1 });
    expect((await report(first)).entries).toMatchObject([{ id: lost.id, what: "resumed" }]);
    expect(new Map(told.entries.map(({ id, what }) => [id, what]))).toEqual(
      new Map([
        [later.id, "started"],
        [ready.id, "started"],
        [created.id, "kept"],
        [interrupted.id, "kept"],
        [suspended.id, "kept"],
        [failed.id, "skipped"],
      ]),
    );
    await first.close();

    const second = open();
    second.task("work", () => 1);
    await using again = await second.worker({ tasks: ["work"] });
    const own = await second.run(second.task("work of its own", () => 1));
    await own.suspend();
    const { createdAt } = await own.view();
    // A start tells of what was stored before its millisecond.
    await eventually(async () => (Date.now() > createdAt ? true : null));
    await again.stop();
    await second.close();
    // It tells of what was stored since the first, and no more of that.
    const third = open();
    third.task("work", () => 1);
    await third.reconcile();
    expect((await report(third, 1, "start")).entries).toMatchObject([
      { name: "work of its own", what: "kept" },
    ]);
    expect(await third.resumeReports()).toHaveLength(3);
  });

  test("what several processes report that start at once adds up, and a second start reports nothing", async () => {
    const before = open();
    const work = before.task("work", () => 1);
    const open_: string[] = [];
    for (let n = 0; n < 30; n++) open_.push((await before.create(work)).id);
    await before.close();
    const lost = await killed(30);
    const entries = async (mage: MageFlow): Promise<string[]> => {
      const reports = await mage.resumeReports({ limit: 100 });
      for (const one of reports) counts(one);
      return reports.flatMap((one) => one.entries.map(({ id, what }) => `${id} ${what}`)).toSorted();
    };
    const all = [...open_.map((id) => `${id} kept`), ...lost.map((id) => `${id} resumed`)].toSorted();
    const first = Array.from({ length: 4 }, () => working());
    await Promise.all(first.map((mage) => mage.reconcile()));
    await eventually(async () => ((await entries(first[0]!)).length >= all.length ? true : null));
    const last = working();
    await last.reconcile();
    // A round of each after all was told, and their last words.
    const probes = new Set<string>();
    for (const mage of [...first, last]) {
      const run = await mage.run(work, undefined, { delay: 1 });
      // When it was stored is estimated, so that it may belong to what the last start found.
      probes.add(run.id);
      await eventually(async () => ((await run.view()).status === "READY" ? true : null));
    }
    await Promise.all([...first, last].map((mage) => mage.close()));
    const told = await entries(open());
    expect(told.filter((entry) => !probes.has(entry.split(" ")[0]!))).toEqual(all);
  });

  test("an empty store, and one that nobody left work in, tell nothing", async () => {
    const mage = working();
    await using worker = await mage.worker();
    const task = mage.task("task", () => 1);
    await (await mage.run(task)).settled();
    await worker.stop();
    await mage.close();
    const again = working();
    await (await again.worker()).stop();
    await again.close();
    expect(await open().resumeReports()).toEqual([]);
  });

  test("a bad limit is refused", async () => {
    await expect(open().resumeReports({ limit: 101 })).rejects.toThrow(
      "limit is 101; give a whole number from 1 to 100",
    );
  });
});

test.for<[options: unknown, message: string]>([
  [null, "the options of autoResume are null; give an object"],
  [{ enable: true }, 'autoResume has no option "enable"; it has enabled, only, except, stagger'],
  [{ enabled: 1 }, "autoResume.enabled is 1; give true or false"],
  [{ only: "work" }, 'autoResume.only is "work"; give an array of names of tasks'],
  [{ except: [1] }, "autoResume.except has 1; give names of tasks"],
  [{ stagger: 5 }, "the options of autoResume.stagger are 5; give an object"],
  [{ stagger: {} }, "autoResume.stagger has no perSecond"],
  [{ stagger: { perSecond: 0 } }, "autoResume.stagger.perSecond is 0; give a number"],
  [{ stagger: { perSecond: 1, jitter: "half" } }, 'jitter is "half"; give "full" or "none"'],
  [{ maxRecoveries: -1 }, "autoResume.maxRecoveries is -1; give a whole number from 0"],
  [{ validate: true }, "autoResume.validate is true; give a function"],
])("MageFlow refuses autoResume %j", ([autoResume, message]) => {
  expect(() => new MageFlow({ autoResume: autoResume as AutoResumeOptions })).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT" }),
  );
  expect(() => new MageFlow({ autoResume: autoResume as AutoResumeOptions })).toThrow(message);
});

test.for<[options: object, message: string]>([
  [{ autoResume: true }, 'the options of autoResume of task "t" are true; give an object'],
  [{ autoResume: { only: [] } }, 'autoResume of task "t" has no option "only"'],
  [{ autoResume: { perSecond: Number.NaN } }, 'autoResume of task "t": perSecond is NaN'],
  [{ autoResume: { maxRecoveries: 0.5 } }, 'autoResume of task "t": maxRecoveries is 0.5'],
  [{ autoResume: { maxRecoveries: 1 }, maxRecoveries: 1 }, 'task "t" has maxRecoveries twice'],
  [{ version: 1.5 }, 'the version of task "t" is 1.5; give a whole number, or a text of 1 to 256'],
  [{ version: "" }, 'the version of task "t" is ""; give a whole number, or a text of 1 to 256'],
  [{ autoResume: { compatible: 1 } }, 'autoResume of task "t": compatible is 1; give a function'],
  [{ maxRecoveries: "5" }, 'maxRecoveries of task "t" is "5"; give a whole number from 0'],
])("a task refuses %j", ([options, message]) => {
  expect(() => new MageFlow({ store: "memory:" }).task("t", options, () => 1)).toThrow(message);
});
