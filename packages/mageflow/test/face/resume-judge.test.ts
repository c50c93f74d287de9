import { expect, test } from "vitest";
import * as v from "valibot";
import type { AutoResumeOptions, MageFlow, TaskAutoResume, TaskOptions } from "../../src/index.ts";
import { eventually } from "./eventually.ts";
import { gate } from "./gate.ts";
import { lostWork, type Options, report, stopped } from "./lost-work.ts";
import { onEachStore } from "./on-each-store.ts";

onEachStore("whether auto-resume lets a task go on", (open, strike) => {
  const { kill, killed, working } = lostWork(open, strike);

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
});
