import type { StandardSchemaV1 } from "@standard-schema/spec";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  chain,
  InvalidPlanError,
  type Json,
  MageFlow,
  PayloadError,
  swarm,
  UnknownTaskError,
  ValidationError,
} from "../../src/index.ts";
import { onEachStore } from "./on-each-store.ts";
import { refusal } from "./refusal.ts";

onEachStore("refused at the door", (open) => {
  test("an input that does not fit its schema, with the path of every violation", async () => {
    const mage = open();
    const input = z.object({ url: z.url(), sizes: z.array(z.object({ width: z.int() })) });
    const task = mage.task("resize", { input }, () => 1);
    const bad = {
      url: "not a url",
      sizes: [{ width: 1 }, { width: 1.5 }, { width: "3" as never as number }],
    };
    const message = await refusal(() => mage.run(task, bad));
    expect(message).toBeInstanceOf(ValidationError);
    expect((message as ValidationError).issues.map(({ path }) => path)).toEqual([
      "$.url",
      "$.sizes[1].width",
      "$.sizes[2].width",
    ]);
    expect((message as Error).message).toContain("resize");
    for (const plan of [
      chain([task.with(bad)]),
      swarm([chain([task]).with(bad)]),
      swarm([task]).with(bad),
      swarm([task.with({ url: "https://a.example" })]).with(bad),
    ]) {
      expect(await refusal(() => mage.run(plan))).toBeInstanceOf(ValidationError);
    }
    expect((await mage.list()).items).toEqual([]);
  });

  test("an input of many, by the slots that lead to it and its key", async () => {
    const mage = open();
    const task = mage.task("check", { input: z.object({ n: z.int() }) }, ({ n }) => n);
    const items = (last: { n: number }) =>
      swarm([task.with({ n: 1 }), chain([task.with(last).keyed("step")])]);
    const wrong = { n: "x" as never as number };
    const told = async (call: () => Promise<unknown>) => ((await refusal(call)) as Error).message;
    expect(await told(() => mage.run(task, wrong))).toMatch(/^the input of "check" does not fit/);
    expect(await told(() => mage.run(items(wrong)))).toMatch(/^the input of "check" \(slot 1\.0\) does not/);
    const keyed = swarm([task.with({ n: 1 }), task.with(wrong).keyed("b")]);
    expect(await told(() => mage.run(keyed))).toMatch(/^the input of "check" \(slot 1, key "b"\) does not/);
    const created = await mage.create(keyed);
    expect(await told(() => created.start())).toMatch(/\(slot 1, key "b"\) does not/);
    const run = await mage.run(swarm([task.with({ n: 1 })], { open: true }));
    expect(await told(() => run.addTasks([task.with({ n: 2 }), task.with(wrong)]))).toContain(
      "(slot 2) does",
    );
  });

  test("an input at which its schema throws, or finds very much", async () => {
    const mage = open();
    const throws = (): never => {
      throw new TypeError("a bug");
    };
    const broken: StandardSchemaV1<{ n: number }> = {
      "~standard": { version: 1, vendor: "test", validate: throws },
    };
    const error = await refusal(() =>
      mage.run(
        mage.task("broken", { input: broken }, () => 1),
        { n: 1 },
      ),
    );
    expect(error).toMatchObject({ code: "VALIDATION", cause: { message: "a bug" } });
    const retry = { attempts: 3, backoff: { type: "fixed", delay: 0 } } as const;
    const late = mage.task("late", { output: broken, retry }, () => ({ n: 1 }));
    await mage.worker();
    expect(await (await mage.run(late)).settled()).toMatchObject({
      error: { code: "VALIDATION", attempts: 1, message: expect.stringContaining("TypeError: a bug") },
    });
    const many = mage.task("many", { input: z.object({ list: z.array(z.int()) }) }, () => 1);
    const refused = await refusal(() => mage.run(many, { list: Array.from({ length: 5_000 }, () => 0.5) }));
    expect((refused as ValidationError).issues).toHaveLength(5_000);
    expect((refused as Error).message).toMatch(/and 4990 more$/);
    expect((refused as Error).message.length).toBeLessThan(6_000);
  });

  test("a payload that JSON cannot carry, with the path to it", async () => {
    const mage = open();
    const task = mage.task("task", (input: unknown) => input as Json);
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    const cases: [unknown, string][] = [
      [{ a: { b: [1, () => 1] } }, "a.b[1]"],
      [{ a: 1n }, "a"],
      [{ a: Number.NaN }, "a"],
      [{ a: new Date() }, "a"],
      [{ a: new Map() }, "a"],
      [{ a: [undefined] }, "a[0]"],
      [{ a: Symbol("a") }, "a"],
      [{ a: { toJSON: () => 1 } }, "a.toJSON"],
    ];
    for (const [payload, path] of cases) {
      for (const call of [() => mage.run(task, payload), () => task.with(payload as object)]) {
        const error = await refusal(call);
        expect(error).toBeInstanceOf(PayloadError);
        expect((error as PayloadError).path).toContain(path);
      }
    }
    expect(await refusal(() => mage.run(task, cycle))).toMatchObject({ code: "PAYLOAD" });
    expect(await refusal(() => mage.run(task, undefined, { metadata: { a: 1n } as never }))).toBeInstanceOf(
      PayloadError,
    );
  });

  test("a payload that is too large or too deep", async () => {
    const mage = open();
    const task = mage.task("task", (input: { text: string }) => input.text.length);
    const deep = (levels: number): Json => (levels === 0 ? 1 : { in: deep(levels - 1) });
    expect(await refusal(() => mage.run(task, { text: "x".repeat(1_048_576) }))).toMatchObject({
      code: "PAYLOAD",
      message: expect.stringContaining("1048576"),
    });
    const untyped = mage.task("untyped", (input: unknown) => input as Json);
    expect(await refusal(() => mage.run(untyped, deep(65)))).toMatchObject({ code: "PAYLOAD" });
    await mage.worker();
    expect(await (await mage.run(untyped, deep(64))).result()).toEqual(deep(64));
    expect(await (await mage.run(task, { text: "x".repeat(1_048_000) })).result()).toBe(1_048_000);
  });

  test("inputs that are too large together", async () => {
    const mage = open();
    const big = (key: string) => ({ [key]: "x".repeat(600_000) });
    const input = z.record(z.string(), z.string());
    const size = mage.task("size", { input }, (texts) => JSON.stringify(texts).length);
    const give = mage.task("give", () => big("a"));
    for (const call of [
      () => size.with(big("a")).with(big("b")),
      () => swarm([size]).with(big("a")).with(big("b")),
      () => mage.run(size.with(big("a")), big("b")),
      () => mage.run(swarm([size.with(big("a"))]).with(big("b"))),
      async () => (await mage.create(chain([give]).with(big("a")))).start(big("b")),
    ]) {
      expect(await refusal(call as () => Promise<unknown>)).toMatchObject({
        code: "PAYLOAD",
        message: expect.stringContaining("more than 1048576"),
      });
    }
    await mage.worker();
    const later = await mage.run(chain([give, size.options({ tags: ["x"] }).with(big("b"))]));
    expect(await later.settled()).toMatchObject({
      error: {
        code: "PAYLOAD",
        attempts: 1,
        message: expect.stringMatching(/^the input of "size" is 12\d+ bytes/),
      },
    });
    expect(await (await mage.run(chain([give, size.with(big("a"))]))).result()).toBe(600_008);
  });

  test("plans that cannot be run as written", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const calls: Record<string, () => unknown> = {
      "an empty chain": () => chain([]),
      "a step that is no plan": () => chain([task, (() => 1) as never]),
      "an item that is no plan": () => swarm([1 as never]),
      "items that cannot be iterated": () => swarm(3 as never),
      "a negative concurrency": () => swarm([task], { concurrency: -1 }),
      "no concurrency": () => swarm([task], { concurrency: 0 }),
      "half a concurrency": () => swarm([task], { concurrency: 1.5 }),
      "a negative stopAfterFailures": () => swarm([task], { stopAfterFailures: -1 }),
      "a negative maxTasks": () => swarm([task], { maxTasks: -1 }),
      "a callback that is no plan": () => task.onSuccess((() => 1) as never),
      "an item callback that is no plan": () => swarm([task], { onItemError: {} as never }),
      "an empty name": () => chain([task], { name: "" }),
      "a name that is too long": () => chain([task], { name: "x".repeat(257) }),
      "an empty key": () => task.keyed(""),
      "a negative delay": () => task.options({ delay: -1 }),
      "a delay in words": () => task.options({ delay: "soon" as never }),
      "an instant that is none": () => task.options({ at: new Date("nonsense") }),
      "half a priority": () => task.options({ priority: 0.5 }),
      "an empty tag": () => task.options({ tags: [""] }),
      "two tasks of one name": () => mage.task("task", () => 2),
      "a task without a function": () => mage.task("none", {} as never),
      "no attempt at all": () => mage.task("a", { retry: { attempts: 0 } }, () => 1),
      "a backoff nobody knows": () => mage.task("b", { retry: { backoff: "linear" as never } }, () => 1),
      "a swarm that is neither open nor closed": () => swarm([task], { open: "no" as never }),
      "no timeout": () => mage.task("c", { timeout: 0 }, () => 1),
      "no time in all": () => mage.task("c", { totalTimeout: "0s" }, () => 1),
      "a negative timeout": () => mage.task("c", { timeout: -1 }, () => 1),
      "no concurrency of a task": () => mage.task("d", { concurrency: 0 }, () => 1),
      "a run of no plan": () => mage.run({} as never),
      "a run of null": () => mage.run(null as never),
      "more items than maxTasks": () => mage.run(swarm([task, task], { maxTasks: 1 })),
      "two items of one key": () => mage.run(swarm([task.keyed("a"), task.keyed("a")])),
      "an option that no task has": () => mage.task("e", { retries: 3 } as never, () => 1),
      "task options that are none": () => mage.task("f", null as never, () => 1),
      "an input that is no schema": () => mage.task("g", { input: { url: "text" } as never }, () => 1),
      "an output that is no schema": () => mage.task("h", { output: (() => 1) as never }, () => 1),
      "a retry that is a number": () => mage.task("i", { retry: 3 as never }, () => 1),
      "an option that no run has": () => mage.run(task, undefined, { idempotencyKey: "k" } as never),
      "run options that are none": () => mage.run(task, undefined, "k" as never),
      "an option of a run for what is created": () => mage.create(task, { message: 1 } as never),
      "an option that no worker has": () => mage.worker({ concurency: 1 } as never),
      "a worker without concurrency": () => mage.worker({ concurrency: 0 }),
      "a worker for a text of tasks": () => mage.worker({ tasks: "task" as never }),
      "a worker that always beats": () => mage.worker({ heartbeat: 0 }),
      "a heartbeat longer than its lease": () => mage.worker({ lease: 100, heartbeat: 90 }),
    };
    const accepted: string[] = [];
    for (const [what, call] of Object.entries(calls)) {
      const error: unknown = await refusal(call).catch(() => null);
      const told =
        error instanceof InvalidPlanError && error.code === "INVALID_PLAN" && error.message.length > 15;
      if (!told) accepted.push(what);
    }
    expect(accepted).toEqual([]);
    expect((await mage.list()).items).toEqual([]);
  });

  test("an option that MageFlow does not have", async () => {
    expect(await refusal(() => new MageFlow({ stroe: "memory:" } as never))).toMatchObject({
      code: "INVALID_ARGUMENT",
      message:
        'MageFlow has no option "stroe"; it has store, create, cache, engine, actor, retain, autoResume',
    });
  });

  test("a retention that does not say of which outcome", async () => {
    const one = { succeeded: "1h" } as const;
    for (const retain of [
      5,
      "1h",
      null,
      [one],
      { task: 5 },
      { task: null },
      { swarm: "1h" },
      { chian: one },
    ]) {
      expect(await refusal(() => open({ retain } as never))).toMatchObject({ code: "INVALID_PLAN" });
    }
    expect(await refusal(() => open({ retain: 5 } as never))).toMatchObject({
      message: "the options of retain are 5; give an object",
    });
    const mage = open({ retain: { chain: { failed: 5 }, ...one } });
    expect(await refusal(() => mage.task("task", { retain: 5 } as never, () => 1))).toMatchObject({
      code: "INVALID_PLAN",
    });
  });

  test("containers that are nested too deep", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    let plan = chain([task]);
    for (let n = 1; n < 100; n++) plan = chain([plan]);
    await mage.worker();
    expect(await (await mage.run(plan)).result()).toBe(1);
    expect(await refusal(() => mage.run(chain([plan])))).toBeInstanceOf(InvalidPlanError);
  });

  test("a worker for a task that is not registered", async () => {
    const mage = open();
    mage.task("task", () => 1);
    const error = await refusal(() => mage.worker({ tasks: ["task", "tusk"] }));
    expect(error).toBeInstanceOf(UnknownTaskError);
    expect(error).toMatchObject({
      code: "UNKNOWN_TASK",
      message: expect.stringContaining("registered here: task"),
    });
  });

  test("an items function that throws leaves nothing behind", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const broken = swarm(function* () {
      for (let n = 0; n < 3_000; n++) yield task;
      throw new RangeError("the source broke");
    });
    expect(await refusal(() => mage.run(broken))).toMatchObject({ message: "the source broke" });
    expect((await mage.list({ roots: false })).items).toEqual([]);
    expect((await mage.unhandled()).size).toBe(0);
  });
});
