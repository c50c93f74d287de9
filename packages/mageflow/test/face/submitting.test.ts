import type { StandardSchemaV1 } from "@standard-schema/spec";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  chain,
  IllegalTransitionError,
  InvalidPlanError,
  type Json,
  MageFlow,
  PayloadError,
  swarm,
  UnknownTaskError,
  ValidationError,
  type MageFlowError,
} from "../../src/index.ts";
import { onEachStore } from "./on-each-store.ts";

/** What a call threw or rejected with. */
async function refusal(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

onEachStore("idempotency keys", (open) => {
  test("give the first run again, and refuse what is something else", async () => {
    const mage = open();
    let ran = 0;
    const task = mage.task("task", ({ n }: { n: number }) => (ran++, n));
    await mage.worker();
    const first = await mage.run(task.with({ n: 1 }), undefined, { key: "k" });
    const second = await open().run(task.with({ n: 1 }).options({ priority: 1 }), undefined, { key: "k" });
    expect(second.id).toBe(first.id);
    expect(await second.result()).toBe(1);
    const conflict = expect.objectContaining({ code: "IDEMPOTENCY_CONFLICT", id: first.id });
    for (const [other, message] of [
      [task.with({ n: 2 }), undefined],
      [task, { n: 1 }],
      [task.with({ n: 1 }), { n: 1 }],
      [chain([task.with({ n: 1 })]), undefined],
      [chain([task.with({ n: 1 })], { name: "task" }), undefined],
    ] as const) {
      await expect(mage.run(other as typeof task, message as never, { key: "k" })).rejects.toThrow(conflict);
    }
    await expect(mage.create(task.with({ n: 2 }), { key: "k" })).rejects.toThrow(conflict);
    expect(ran).toBe(1);
    // A rerun has another input, and is what was asked for all the same.
    await first.rerun({ n: 3 });
    expect(await first.result()).toBe(3);
    expect((await mage.run(task.with({ n: 1 }), undefined, { key: "k" })).id).toBe(first.id);
  });

  test("refuse something else that comes at the same time", async () => {
    const mage = open();
    const task = mage.task("task", ({ n }: { n: number }) => n);
    const other = open();
    const ends = await Promise.allSettled(
      [1, 2, 1, 2].map((n, at) =>
        (at < 2 ? mage : other).run(at < 2 ? task : task.with({}), { n }, { key: "k" }),
      ),
    );
    const ids = ends.flatMap((end) => (end.status === "fulfilled" ? end.value.id : []));
    expect(new Set(ids).size).toBe(1);
    const refused = ends.flatMap((end) =>
      end.status === "rejected" ? (end.reason as MageFlowError).code : [],
    );
    expect(new Set(refused)).toEqual(new Set(["IDEMPOTENCY_CONFLICT"]));
    expect((await mage.list()).items).toHaveLength(1);
  });

  test("hold against callers at the same time, in one process and in two", async () => {
    const mage = open();
    const other = open();
    let ran = 0;
    const task = mage.task("task", () => ran++);
    const twin = other.task("task", () => ran++);
    const runs = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        n % 2 === 0 ? mage.run(task, undefined, { key: "k" }) : other.run(twin, undefined, { key: "k" }),
      ),
    );
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    await mage.worker();
    await runs[0]!.settled();
    expect(ran).toBe(1);
    expect((await mage.list()).items).toHaveLength(1);
  });

  test("hold for trees that are stored in many transactions", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const items = (): (typeof task)[] => Array.from({ length: 5_000 }, () => task);
    const runs = await Promise.all([0, 1, 2].map(() => mage.run(swarm(items()), undefined, { key: "big" })));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    expect((await mage.list()).items).toHaveLength(1);
    expect((await runs[0]!.counts()).total).toBe(5_000);
  });

  test("compare bytewise", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const keys = ["k", "K", "k ", "ß", "ss", "é", "e\u0301"];
    const runs = await Promise.all(keys.map((key) => mage.run(task, undefined, { key })));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(keys.length);
  });

  test("cannot be empty", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    expect(await refusal(() => mage.run(task, undefined, { key: "" }))).toBeInstanceOf(InvalidPlanError);
    expect(await refusal(() => mage.run(task, undefined, { key: 3 as never }))).toBeInstanceOf(
      InvalidPlanError,
    );
  });
});

onEachStore("a tree of any number of records", (open) => {
  for (const records of [1_999, 2_000, 2_001, 2_002, 4_000, 4_001]) {
    for (const key of [undefined, "k"]) {
      test(`is stored, told of and found: ${records} ${key === undefined ? "without" : "with"} a key`, async () => {
        const mage = open();
        const task = mage.task("task", () => 1);
        const plan = swarm(Array.from({ length: records - 1 }, () => task));
        const run = await mage.run(plan, undefined, key === undefined ? {} : { key });
        expect((await run.counts()).total).toBe(records - 1);
        expect((await mage.list()).items.map(({ id }) => id)).toEqual([run.id]);
        for await (const { type, id } of run.events({ since: 0 })) {
          expect({ type, id }).toEqual({ type: "created", id: run.id });
          break;
        }
        const again = await mage.run(plan, undefined, { key: key ?? "other" });
        expect(again.id === run.id).toBe(key !== undefined);
      });
    }
  }
});

onEachStore("create and start", (open) => {
  test("what is created does not run before it is started, and takes a message then", async () => {
    const mage = open();
    const task = mage.task("task", (input: unknown) => input as Json);
    await mage.worker();
    const run = await mage.create(chain([task]).with({ a: 1 }));
    expect((await run.status()).status).toBe("PENDING");
    await run.start({ b: 2 });
    expect(await run.result()).toEqual({ a: 1, b: 2 });
  });

  test("starting again is a no-op, and what is inside cannot be started", async () => {
    const mage = open();
    let ran = 0;
    const task = mage.task("task", () => ran++);
    const run = await mage.create(chain([task, task]));
    expect(await refusal(async () => (await mage.get(`${run.id}.1`)).start())).toBeInstanceOf(
      IllegalTransitionError,
    );
    await mage.worker();
    await Promise.all([run.start(), run.start(), run.start()]);
    await run.settled();
    await run.start();
    expect(ran).toBe(2);
  });
});

onEachStore("an input that is completed when it is started", (open) => {
  const schema = z.object({ n: z.int(), m: z.int() });

  test("is open until then, and checked then", async () => {
    const mage = open();
    const task = mage.task("task", { input: schema }, ({ n, m }) => n + m);
    await mage.worker();
    const partly = task.with({ n: 1 });
    const plans = [
      partly,
      chain([partly, mage.task("after", () => 1)]),
      swarm([chain([swarm([partly])]), partly]),
    ];
    for (const plan of plans) {
      const run = await mage.create(plan);
      const wrong = await refusal(() => run.start({ m: "text" }));
      expect(wrong).toBeInstanceOf(ValidationError);
      expect((wrong as ValidationError).issues.map(({ path }) => path)).toEqual(["$.m"]);
      expect(await refusal(() => run.start())).toBeInstanceOf(ValidationError);
      expect((await run.status()).status).toBe("PENDING");
      await run.start({ m: 2 });
      await run.start({ m: "again, which is nothing" });
      expect((await run.settled()).status).toBe("SUCCEEDED");
    }
  });

  test("is checked for every item, also those that were added", async () => {
    const mage = open();
    const task = mage.task("task", { input: schema }, ({ n, m }) => n + m);
    const run = await mage.create(
      swarm(
        Array.from({ length: 1_200 }, () => task.with({ n: 1 })),
        { open: true },
      ),
    );
    await run.addTasks([task.with({ n: "text" as never })]);
    expect(await refusal(() => run.start({ m: 1 }))).toMatchObject({ issues: [{ path: "$.n" }] });
    expect(await refusal(() => run.addTasksAndRun([]))).toBeInstanceOf(ValidationError);
    expect((await run.status()).status).toBe("PENDING");
  });
});

onEachStore("one plan in several places", (open) => {
  test("is a value: callbacks and inputs of one use are not those of another", async () => {
    const mage = open();
    const seen: Json[] = [];
    const task = mage.task("task", ({ n }: { n: number }) => n);
    const note = mage.task("note", ({ result }: { result: number }) => void seen.push(result));
    const noted = task.onSuccess(note);
    await mage.worker();
    const both = swarm([noted.with({ n: 1 }), task.with({ n: 2 }), noted.with({ n: 3 })]);
    const run = await mage.run(chain([both, noted.with({ n: 4 })]).onSuccess(note));
    await run.settled();
    expect(seen.map(String).toSorted()).toEqual(["1", "3", "4", "4"]);
  });

  test("is a step as often as one likes, also when it has a key", async () => {
    const mage = open();
    const task = mage.task("task", () => 1).keyed("k");
    await mage.worker();
    const run = await mage.run(chain([task, task, swarm([task])]));
    expect(await run.result()).toMatchObject({ succeeded: 1, results: [{ key: "k" }] });
  });

  test("can be stored twice", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const plan = swarm([task, chain([task])]);
    await mage.worker();
    const [one, two] = [await mage.run(plan), await mage.run(plan)];
    expect(one.id).not.toBe(two.id);
    expect(await one.result()).toMatchObject({ succeeded: 2 });
    expect(await two.result()).toMatchObject({ succeeded: 2 });
  });
});

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
      message: 'MageFlow has no option "stroe"; it has store, cache, engine, actor, retain, autoResume',
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

onEachStore("a task that nobody has registered", (open) => {
  test("waits for a worker that has", async () => {
    const mage = open();
    const other = open();
    const run = await mage.run(mage.task("elsewhere", () => "here"));
    other.task("something else", () => 1);
    await other.worker();
    expect((await other.unhandled()).get("elsewhere")).toBe(1);
    expect((await run.status()).status).toBe("READY");
    const third = open();
    third.task("elsewhere", () => "there");
    await third.worker();
    expect(await run.result()).toBe("there");
  });
});
