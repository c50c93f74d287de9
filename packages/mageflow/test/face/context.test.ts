import { once } from "node:events";
import { expect, test } from "vitest";
import { chain, type TaskContext } from "../../src/index.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

const AT_ONCE = { type: "fixed", delay: 0 } as const;

onEachStore("ctx", (open) => {
  test("tells who one is", async () => {
    const mage = open();
    const who = mage.task(
      "who",
      { tags: ["own"], metadata: { own: 1, both: "own" } },
      (_input: unknown, ctx) => ({
        id: ctx.id,
        attempt: ctx.attempt,
        generation: ctx.generation,
        epoch: ctx.epoch,
        signature: ctx.signature,
      }),
    );
    await mage.worker();
    const plan = chain(
      [chain([who.options({ priority: 3 })], { tags: ["inner"], metadata: { both: "inner", inner: 1 } })],
      {
        tags: ["outer"],
        metadata: { both: "outer", outer: { a: [1] } },
      },
    );
    const run = await mage.run(plan, undefined, { tags: ["run"], metadata: { run: true } });
    const { signature, ...rest } = (await run.result()) as unknown as {
      signature: { tags: string[] } & Record<string, unknown>;
    };
    expect(rest).toEqual({ id: `${run.id}.0.0`, attempt: 1, generation: 1, epoch: 1 });
    expect(signature.tags.toSorted()).toEqual(["inner", "outer", "own", "run"]);
    expect(signature).toMatchObject({
      id: `${run.id}.0.0`,
      name: "who",
      rootId: run.id,
      parentId: `${run.id}.0`,
      role: "step",
      slot: 0,
      key: null,
      priority: 3,
      metadata: { own: 1, both: "own", inner: 1, outer: { a: [1] }, run: true },
    });
  });

  test("step runs once over all attempts", async () => {
    const mage = open();
    const calls: string[] = [];
    const plan = mage.task(
      "steps",
      { retry: { attempts: 3, backoff: AT_ONCE } },
      async (_input: unknown, ctx) => {
        const a = await ctx.step("a", () => {
          calls.push(`a${ctx.attempt}`);
          return { made: "in attempt", attempt: ctx.attempt };
        });
        // A name that is used again is another step.
        const b: number[] = [];
        for (const n of [1, 2]) b.push(await ctx.step("b", async () => (calls.push(`b${n}`), n)));
        const c = await ctx.step("c", () => {
          calls.push(`c${ctx.attempt}`);
          if (ctx.attempt < 3) throw new Error("not yet");
          return null;
        });
        return { a, b, c };
      },
    );
    await mage.worker();
    expect(await (await mage.run(plan)).result()).toEqual({
      a: { made: "in attempt", attempt: 1 },
      b: [1, 2],
      c: null,
    });
    expect(calls).toEqual(["a1", "b1", "b2", "c1", "c2", "c3"]);
  });

  test("step names that look like numbered ones are steps of their own", async () => {
    const mage = open();
    const names = ["a", "a", "a#2", "a", "a#2", "a2"];
    const plan = mage.task("steps", { retry: { attempts: 2, backoff: AT_ONCE } }, async (_: unknown, ctx) => {
      const got: number[] = [];
      for (const [n, name] of names.entries()) got.push(await ctx.step(name, () => n + 10 * ctx.attempt));
      if (ctx.attempt < 2) throw new Error("not yet");
      return got;
    });
    await mage.worker();
    expect(await (await mage.run(plan)).result()).toEqual([10, 11, 12, 13, 14, 15]);
  });

  test("step names that no store could keep are refused", async () => {
    const mage = open();
    const bad = ["", "x".repeat(257), "a\u001f2", "\n", "\ud800", undefined, 3, Symbol("s")];
    const plan = mage.task("steps", async (_: unknown, ctx) => {
      const told = bad.map((name) => ctx.step(name as never, () => 1).catch((error: unknown) => error));
      return (await Promise.all(told)).map((error) => (error as { code: string }).code);
    });
    await mage.worker();
    expect(await (await mage.run(plan)).result()).toEqual(bad.map(() => "INVALID_ARGUMENT"));
  });

  test("step and defer take functions only", async () => {
    const mage = open();
    const plan = mage.task("wrong", async (_input: unknown, ctx) => {
      const step = await ctx.step("a", undefined as never).catch((error: unknown) => error);
      let deferred: unknown;
      try {
        ctx.defer(5 as never);
      } catch (error) {
        deferred = error;
      }
      return [step, deferred].map((error) => (error as { code: string }).code);
    });
    await mage.worker();
    expect(await (await mage.run(plan)).result()).toEqual(["INVALID_ARGUMENT", "INVALID_ARGUMENT"]);
  });

  test("methods may be taken out of it", async () => {
    const mage = open();
    const seen: string[] = [];
    const other = mage.task("other", () => 2);
    const plan = mage.task(
      "loose",
      async (_input: unknown, { step, progress, checkpoint, defer, resource, run, log }) => {
        defer(() => seen.push("deferred"));
        await resource("tmp", { path: "a" }, ({ path }) => seen.push(`released ${path}`));
        await progress(0.5);
        await checkpoint({ at: 1 });
        log.info("told");
        return (await step("one", () => 1)) + (await (await run(other)).result());
      },
    );
    await mage.worker();
    expect(await (await mage.run(plan)).result()).toBe(3);
    expect(seen).toEqual(["released a", "deferred"]);
  });

  test("checkpoint is what the next attempt finds", async () => {
    const mage = open();
    const found: unknown[] = [];
    const plan = mage.task(
      "save",
      { retry: { attempts: 3, backoff: AT_ONCE } },
      async (_input: unknown, ctx) => {
        found.push(ctx.checkpointed);
        await ctx.checkpoint({ line: ctx.attempt * 10 });
        await ctx.checkpoint({ line: ctx.attempt * 10 + 1 });
        if (ctx.attempt < 3) throw new Error("not yet");
      },
    );
    await mage.worker();
    await (await mage.run(plan)).result();
    expect(found).toEqual([null, { line: 11 }, { line: 21 }]);
  });

  test("progress is visible while it runs, and in the events", async () => {
    const mage = open();
    const { wait, reached, open: letGo } = gate();
    const plan = mage.task("progress", async (_input: unknown, ctx) => {
      await ctx.progress(0.4, "almost half");
      await wait();
      await ctx.progress(1);
    });
    await mage.worker();
    const run = await mage.run(plan);
    await reached;
    expect((await run.status()).progress).toEqual({ fraction: 0.4, note: "almost half" });
    letGo();
    await run.settled();
    const seen: unknown[] = [];
    for await (const { type, progress } of run.events({ since: 0 }))
      if (type === "progress") seen.push(progress);
    expect(seen).toEqual([
      { fraction: 0.4, note: "almost half" },
      { fraction: 1, note: null },
    ]);
  });

  test("progress outside of 0 to 1 is refused, and a note that is no text", async () => {
    const mage = open();
    const bad = [[40], [-1], [Number.NaN], ["0.5"], [0.5, 3], [0.5, null], [0.5, { toString: () => "x" }]];
    const plan = mage.task("progress", async (_input: unknown, ctx) => {
      const told = bad.map((given) => ctx.progress(...(given as [number])).catch((error: unknown) => error));
      return (await Promise.all(told)).map((error) => (error as { code: string }).code);
    });
    await mage.worker();
    expect(await (await mage.run(plan)).result()).toEqual(bad.map(() => "INVALID_ARGUMENT"));
  });

  test("a note of progress is cut, and keeps what a store may keep", async () => {
    const mage = open();
    const plan = mage.task("progress", async (_input: unknown, ctx) => {
      await ctx.progress(0.5, "x".repeat(2_000));
      await ctx.progress(0.5, "a\0b\ud800");
    });
    await mage.worker();
    const run = await mage.run(plan);
    await run.settled();
    const notes: unknown[] = [];
    for await (const { progress } of run.events({ since: 0 })) if (progress) notes.push(progress.note);
    expect(notes).toEqual(["x".repeat(1_024), "a\ufffdb\ufffd"]);
  });

  test("log lines are stored with their fields, and found", async () => {
    const mage = open();
    const plan = mage.task("log", (_input: unknown, { log }) => {
      log.debug("looking");
      log.info("found 100% of it", { n: 3, list: [1] });
      log.warn("slow");
      log.error("lost", { circular: process, at: new Date(5), n: 1 });
      log.info({ toString: () => 3 } as never, new Error("no"));
    });
    await mage.worker();
    const run = await mage.run(chain([plan]));
    await run.settled();
    const task = await mage.get(`${run.id}.0`);
    const lines = await task.logs();
    expect(
      lines.map(({ level, message, fields }) => [level, message, fields && (JSON.parse(fields) as unknown)]),
    ).toEqual([
      ["debug", "looking", null],
      ["info", "found 100% of it", { n: 3, list: [1] }],
      ["warn", "slow", null],
      ["error", "lost", { circular: "[object process]", at: "1970-01-01T00:00:00.005Z", n: 1 }],
      ["info", "3", { error: expect.objectContaining({ message: "no" }) }],
    ]);
    expect(lines[0]).toMatchObject({ id: task.id, rootId: run.id, generation: 1, attempt: 1 });
    expect(await run.logs()).toEqual([]);
    expect(await run.logs({ inside: true })).toEqual(lines);
    await expect(run.logs({ id: "x" } as object)).rejects.toThrow(
      'has no option "id"; it has inside, level, contains, after, limit',
    );
    expect(await run.logs({ inside: true, after: lines[1]!.seq })).toEqual(lines.slice(2));
    expect(await run.logs({ inside: true, limit: 1 })).toEqual(lines.slice(0, 1));
    expect(await mage.logs({ contains: "100%" })).toEqual([lines[1]]);
    expect(await mage.logs({ level: "warn", rootId: run.id })).toEqual(expect.arrayContaining([lines[2]]));
  });

  test("defer runs at the end of each attempt, last registered first, whatever the end", async () => {
    const mage = open();
    const order: string[] = [];
    const plan = mage.task("defer", { retry: { attempts: 2, backoff: AT_ONCE } }, (_input: unknown, ctx) => {
      ctx.defer(() => order.push("first"));
      ctx.defer(async () => {
        await Promise.resolve();
        order.push("second");
      });
      ctx.defer(() => {
        throw new Error("is logged");
      });
      order.push(`body ${ctx.attempt}`);
      if (ctx.attempt === 1) throw new Error("not yet");
    });
    await mage.worker();
    const run = await mage.run(plan);
    await run.settled();
    expect(order).toEqual(["body 1", "second", "first", "body 2", "second", "first"]);
    expect((await run.logs()).map(({ message }) => message)).toContain("a deferred function failed");
  });

  test("run starts another workflow once over all attempts", async () => {
    const mage = open();
    let ran = 0;
    const child = mage.task("child", ({ n }: { n: number }) => (ran++, n));
    const parent = mage.task(
      "parent",
      { retry: { attempts: 3, backoff: AT_ONCE } },
      async (_input: unknown, ctx) => {
        const first = await ctx.run(child, { n: 1 });
        const second = await ctx.run(child.with({ n: 2 }));
        const results = [await first.result(), await second.result()];
        if (ctx.attempt < 3) throw new Error("not yet");
        return { ids: [first.id, second.id], results };
      },
    );
    await mage.worker();
    const { ids, results } = await (await mage.run(parent)).result();
    expect(results).toEqual([1, 2]);
    expect(new Set(ids).size).toBe(2);
    expect(ran).toBe(2);
    expect((await mage.list({ name: "child" })).items).toHaveLength(2);
  });

  test("run has a key of its own, however long the way to the task is", async () => {
    const mage = open();
    const child = mage.task("child", () => "ran");
    const parent = mage.task(
      "parent",
      { retry: { attempts: 2, backoff: AT_ONCE } },
      async (_: unknown, ctx) => {
        expect(ctx.id.length).toBeGreaterThan(256);
        const run = await ctx.run(child);
        await run.result();
        if (ctx.attempt < 2) throw new Error("not yet");
      },
    );
    const before = mage.task("before", () => {});
    let plan = before.onSuccess(parent);
    for (let n = 0; n < 30; n++) plan = before.onSuccess(plan);
    await mage.worker();
    const run = await mage.run(plan);
    await run.settled();
    const list = await mage.list({ roots: false, name: ["parent", "child"] });
    expect(list.items.map(({ name, status }) => `${name} ${status}`).toSorted()).toEqual([
      "child SUCCEEDED",
      "parent SUCCEEDED",
    ]);
  });

  test("an error that escapes the promise fails its own task only", async () => {
    const mage = open();
    const { wait, open: letGo, reached } = gate();
    const stray = mage.task("stray", async () => {
      setImmediate(() => {
        throw new Error("thrown in a callback");
      });
      await new Promise<void>(() => {});
    });
    const rejected = mage.task("rejected", async () => {
      void Promise.reject(new Error("nobody handles this"));
      await new Promise<void>(() => {});
    });
    const good = mage.task("good", async () => {
      await wait();
      return "fine";
    });
    await mage.worker({ grace: 10 });
    const fine = await mage.run(good);
    await reached;
    expect(await (await mage.run(stray)).settled()).toMatchObject({
      error: { message: "thrown in a callback" },
    });
    expect(await (await mage.run(rejected)).settled()).toMatchObject({
      error: { message: "nobody handles this" },
    });
    letGo();
    expect(await fine.result()).toBe("fine");
  });

  test("deferred functions that do not end hold the outcome up for the grace only", async () => {
    const mage = open();
    const finish = gate();
    const task = mage.task("task", (_input: unknown, ctx) => {
      ctx.defer(() => finish.opened);
      return 1;
    });
    const worker = await mage.worker({ grace: 30 });
    const run = await mage.run(task);
    expect(await run.result()).toBe(1);
    expect([worker.running, worker.abandoned]).toEqual([1, 1]);
    finish.open();
    await worker.stop();
    expect(await run.logs({ level: "error" })).toMatchObject([
      { message: "deferred functions did not end within 30 ms" },
    ]);
  });

  test("what is deferred is done when its worker has stopped, and holds nobody up who takes the task over", async () => {
    const mage = open();
    const entered = gate();
    const taken = gate();
    let done = false;
    const other = mage.task("other", () => 1);
    const task = mage.task("task", async (_input: unknown, ctx) => {
      if (ctx.epoch > 1) return taken.open();
      ctx.defer(async () => {
        await taken.opened;
        await (await mage.run(other)).settled();
        done = true;
      });
      const told = once(ctx.signal, "abort");
      void entered.wait();
      await told;
      throw ctx.signal.reason;
    });
    const first = await mage.worker({ grace: 500 });
    const run = await mage.run(task);
    await entered.reached;
    const stopped = first.stop();
    await mage.worker();
    await stopped;
    expect(done).toBe(true);
    await run.settled();
    expect(await run.view()).toMatchObject({ status: "SUCCEEDED", attempt: 1, recoveries: 0 });
  });

  test("nothing can be deferred once the task has ended", async () => {
    const mage = open();
    const kept = Promise.withResolvers<TaskContext>();
    const task = mage.task("task", (_input: unknown, ctx) => kept.resolve(ctx));
    await mage.worker();
    await (await mage.run(task)).result();
    const ctx = await kept.promise;
    expect(() => ctx.defer(() => {})).toThrow("after the task had ended");
  });
});
