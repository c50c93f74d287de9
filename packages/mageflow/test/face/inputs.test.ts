import { expect, test } from "vitest";
import { z } from "zod";
import { chain, type Json, type MageFlow, swarm, type TaskPlan } from "../../src/index.ts";
import { onEachStore } from "./on-each-store.ts";

/** A task whose result is the input that it got. */
function echo(mage: MageFlow, name = "echo"): TaskPlan<unknown, Json, unknown> {
  return mage.task(name, (input: unknown) => input as Json);
}

/** A task whose result is this, whatever comes in. */
function give<T extends Json>(mage: MageFlow, name: string, value: T): TaskPlan<unknown, T, unknown> {
  return mage.task(name, () => value) as TaskPlan<unknown, T, unknown>;
}

onEachStore("input", (open) => {
  test("is empty when nothing is given", async () => {
    const mage = open();
    const plan = echo(mage);
    await mage.worker();
    expect(await (await mage.run(plan)).result()).toEqual({});
  });

  test("is null when null is given, which a container's items get under `result`", async () => {
    const mage = open();
    const nothing = mage.task("nothing", { input: z.null() }, (input) => [input]);
    await mage.worker();
    expect(await (await mage.run(nothing, null)).result()).toEqual([null]);
    expect(await (await mage.run(echo(mage).with({ a: 1 }), null)).result()).toBe(null);
    const created = await mage.create(mage.task("later", (input: null) => [input]));
    await created.start(null);
    expect(await created.result()).toEqual([null]);
    expect(await (await mage.run(chain([echo(mage, "in a chain")]), null)).result()).toEqual({
      result: null,
    });
    expect(await (await mage.run(chain([echo(mage, "given nothing")]))).result()).toEqual({});
  });

  test("the message given at run lies over what is bound", async () => {
    const mage = open();
    const plan = echo(mage).with({ a: 1, b: { c: 1, d: [1, 2] } });
    await mage.worker();
    const run = await mage.run(plan, { b: { d: [3] }, e: null });
    expect(await run.result()).toEqual({ a: 1, b: { c: 1, d: [3] }, e: null });
  });

  test("plain objects merge deeply, arrays and everything else replace", async () => {
    const mage = open();
    const plan = echo(mage)
      .with({ o: { x: { y: 1, z: 1 } }, list: [{ a: 1 }, 2], n: { deep: true }, s: "a" })
      .with({ o: { x: { z: 2 } }, list: [{ b: 1 }], n: null, s: { now: "an object" } });
    await mage.worker();
    expect(await (await mage.run(plan)).result()).toEqual({
      o: { x: { y: 1, z: 2 } },
      list: [{ b: 1 }],
      n: null,
      s: { now: "an object" },
    });
  });

  test("a result that is an object comes in as it is", async () => {
    const mage = open();
    const run = chain([give(mage, "give", { rows: [1] }), echo(mage)]);
    await mage.worker();
    expect(await (await mage.run(run)).result()).toEqual({ rows: [1] });
  });

  for (const value of [[1, 2], 7, "text", true, null, "", 0, []] satisfies Json[]) {
    test(`a result of ${JSON.stringify(value)} comes in under \`result\``, async () => {
      const mage = open();
      const run = chain([give(mage, "give", value as Json), echo(mage)]);
      await mage.worker();
      expect(await (await mage.run(run)).result()).toEqual({ result: value });
    });
  }

  test("nothing comes in as null", async () => {
    const mage = open();
    const nothing = mage.task("nothing", async () => {});
    const run = await mage.run(chain([nothing, echo(mage)]));
    await mage.worker();
    expect(await run.result()).toEqual({ result: null });
  });

  test("what comes in < outer container < inner container < own `with`", async () => {
    const mage = open();
    const all = { in: "in", outer: "in", inner: "in", own: "in" };
    const step = echo(mage).with({ own: "own" });
    const plan = chain([give(mage, "give", all), chain([step]).with({ inner: "inner", own: "inner" })]).with({
      outer: "outer",
      inner: "outer",
      own: "outer",
    });
    await mage.worker();
    expect(await (await mage.run(plan)).result()).toEqual({
      in: "in",
      outer: "outer",
      inner: "inner",
      own: "own",
    });
  });

  test("the `with` of a container reaches every step, over the result of the step before", async () => {
    const mage = open();
    const plan = chain([give(mage, "one", { a: 1, b: 1 }), echo(mage)]).with({ b: 2 });
    await mage.worker();
    expect(await (await mage.run(plan)).result()).toEqual({ a: 1, b: 2 });
  });

  test("the first step and every item get the container's own input", async () => {
    const mage = open();
    const item = echo(mage);
    const plan = chain([swarm([item, item.with({ n: 2 })]).with({ s: 1 })]).with({ c: 1 });
    await mage.worker();
    const run = await mage.run(plan, { m: 1, n: 1 });
    const { results = [] } = await run.result();
    expect(results.map(({ result }) => result)).toEqual([
      { m: 1, n: 1, c: 1, s: 1 },
      { m: 1, n: 2, c: 1, s: 1 },
    ]);
  });

  test("the items of a swarm that is a step get the result of the step before", async () => {
    const mage = open();
    const plan = chain([give(mage, "list", [1, 2]), swarm([echo(mage), echo(mage, "other")])]);
    await mage.worker();
    const { results = [] } = await (await mage.run(plan)).result();
    expect(results.map(({ result }) => result)).toEqual([{ result: [1, 2] }, { result: [1, 2] }]);
  });

  test("a message to a container comes in below its own `with`", async () => {
    const mage = open();
    await mage.worker();
    const run = await mage.run(chain([echo(mage)]).with({ a: "with" }), { a: "message", b: "message" });
    expect(await run.result()).toEqual({ a: "with", b: "message" });
  });

  test("a success callback gets the result, and its own `with` over it", async () => {
    const mage = open();
    const seen = Promise.withResolvers<unknown>();
    const callback = mage.task("callback", (input: unknown) => seen.resolve(input));
    const plan = chain([give(mage, "give", { a: 1, b: 1 })])
      .with({ b: 9, c: 9 })
      .onSuccess(callback.with({ d: 1 }));
    await mage.worker();
    await mage.run(plan);
    expect(await seen.promise).toEqual({ a: 1, b: 1, d: 1 });
  });

  test("error and cleanup callbacks get the input of what they follow", async () => {
    const mage = open();
    const seen: Record<string, unknown> = {};
    const fail = mage.task("fail", async () => {
      throw new Error("no");
    });
    const note = (name: string): TaskPlan<unknown, null, unknown> =>
      mage.task(name, (input: unknown) => void (seen[name] = input));
    const plan = chain([
      give(mage, "give", { a: 1 }),
      fail
        .with({ own: 1 })
        .onError(note("step error").with({ x: 1 }))
        .onCleanup(note("step cleanup")),
    ])
      .with({ b: 1 })
      .onError(note("chain error"))
      .onCleanup(note("chain cleanup"));
    await mage.worker();
    const run = await mage.run(plan, { m: 1 });
    await run.settled();
    expect(seen).toEqual({
      "step error": { a: 1, b: 1, own: 1, x: 1 },
      "step cleanup": { a: 1, b: 1, own: 1 },
      "chain error": { b: 1, m: 1 },
      "chain cleanup": { b: 1, m: 1 },
    });
  });

  test("a callback that is a container passes its input on to its first step", async () => {
    const mage = open();
    const seen = Promise.withResolvers<unknown>();
    const last = mage.task("last", (input: unknown) => seen.resolve(input));
    const plan = give(mage, "give", [1]).onSuccess(chain([echo(mage), last]));
    await mage.worker();
    await mage.run(plan);
    expect(await seen.promise).toEqual({ result: [1] });
  });

  test("the task gets the output of its schema, the next step the output of the result's", async () => {
    const mage = open();
    const first = mage.task(
      "first",
      {
        input: z.object({ n: z.string().transform(Number), unit: z.string().default("kg") }),
        output: z.object({ total: z.number().transform((n) => `${n}!`) }),
      },
      ({ n, unit }) => ({ total: unit === "kg" ? n + 1 : 0 }),
    );
    await mage.worker();
    const run = await mage.run(chain([first, echo(mage)]), { n: "41" });
    expect(await run.result()).toEqual({ total: "42!" });
  });

  test("a schema that needs waiting is asked before the task, and fails nothing else when it rejects", async () => {
    const mage = open();
    const input = z.object({ n: z.number() }).refine(async ({ n }) => {
      if (n === 2) throw new Error("the other service is down");
      return true;
    });
    const take = mage.task("take", { input }, ({ n }) => n);
    await mage.worker();
    expect(await (await mage.run(take, { n: 1 })).result()).toBe(1);
    const run = await mage.run(take, { n: 2 });
    expect(await run.settled()).toMatchObject({
      status: "FAILED",
      error: { message: "the other service is down" },
    });
  });

  test("an edit of what was started and waits for its time is checked as at the door", async () => {
    const mage = open();
    const take = mage.task("take", { input: z.object({ n: z.int() }) }, ({ n }) => n);
    const plans = [take.with({ n: 1 }), chain([take]).with({ n: 1 }), swarm([take]).with({ n: 1 })];
    for (const plan of plans) {
      const run = await mage.run(plan, {}, { delay: "1h" });
      const edited = mage.batch((edits) => edits.set(run, { with: { n: "no" } }));
      await expect(edited).rejects.toThrow(expect.objectContaining({ code: "VALIDATION" }));
      await mage.batch((edits) => edits.set(run, { with: { n: 2 } }));
    }
  });

  test("`__proto__` is a key like any other", async () => {
    const mage = open();
    const plan = echo(mage).with(JSON.parse(`{"__proto__":{"polluted":1},"a":{"__proto__":1}}`) as object);
    await mage.worker();
    const result = await (await mage.run(plan, { a: { b: 1 } })).result();
    expect(JSON.stringify(result)).toBe(`{"__proto__":{"polluted":1},"a":{"__proto__":1,"b":1}}`);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test("texts that databases find hard come back unchanged", async () => {
    const mage = open();
    const hard = { nul: "a\u0000b", lone: "\ud800", line: "\u2028", emoji: "🧙", ключ: -0, big: 1e308 };
    const plan = echo(mage);
    await mage.worker();
    expect(await (await mage.run(plan, hard)).result()).toEqual(hard);
  });
});
