import { expect, test } from "vitest";
import { chain, swarm, WorkflowFailedError } from "../../src/index.ts";
import { onEachStore } from "./on-each-store.ts";

onEachStore("result", (open) => {
  test("of a chain is its last step's", async () => {
    const mage = open();
    const one = mage.task("one", () => ({ a: 1 }));
    const two = mage.task("two", ({ a }: { a: number }) => [a, a + 1]);
    await mage.worker();
    expect(await (await mage.run(chain([one, two]))).result()).toEqual([1, 2]);
  });

  test("of a swarm tells each item, in item order", async () => {
    const mage = open();
    const item = mage.task("item", ({ n }: { n: number }) => {
      if (n === 1) throw new TypeError("odd one out");
      return n * 10;
    });
    await mage.worker();
    const run = await mage.run(swarm([0, 1, 2].map((n) => item.with({ n }).keyed(`k${n}`))));
    const result = await run.result();
    expect(result).toMatchObject({ total: 3, succeeded: 2, failed: 1, skipped: 0 });
    expect(result.results).toEqual([
      { index: 0, key: "k0", id: `${run.id}.0`, status: "SUCCEEDED", result: 0 },
      {
        index: 1,
        key: "k1",
        id: `${run.id}.1`,
        status: "FAILED",
        error: expect.objectContaining({ name: "TypeError", message: "odd one out", attempts: 1 }),
      },
      { index: 2, key: "k2", id: `${run.id}.2`, status: "SUCCEEDED", result: 20 },
    ]);
  });

  test("an item without a key has none in the result", async () => {
    const mage = open();
    const item = mage.task("item", () => 1);
    await mage.worker();
    const { results = [] } = await (await mage.run(swarm([item]))).result();
    expect(Object.keys(results[0]!).toSorted()).toEqual(["id", "index", "result", "status"]);
  });

  test("of an empty swarm is a success without items", async () => {
    const mage = open();
    await mage.worker();
    const run = await mage.run(swarm([]));
    expect(await run.result()).toEqual({ total: 0, succeeded: 0, failed: 0, skipped: 0, results: [] });
  });

  test("of more than 1,000 items comes by run.results() only", async () => {
    const mage = open();
    const item = mage.task("item", ({ n }: { n: number }) => n);
    const many = swarm(
      function* () {
        for (let n = 0; n < 1_001; n++) yield item.with({ n });
      },
      { concurrency: Infinity },
    );
    await mage.worker({ concurrency: 500 });
    const run = await mage.run(many);
    expect(await run.result()).toEqual({ total: 1_001, succeeded: 1_001, failed: 0, skipped: 0 });
    const numbers: unknown[] = [];
    for await (const { index, result } of run.results()) {
      expect(result).toBe(index);
      numbers.push(result);
    }
    expect(numbers).toHaveLength(1_001);
  });

  test("of 1,000 items comes inline", async () => {
    const mage = open();
    const item = mage.task("item", () => 1);
    await mage.worker({ concurrency: 500 });
    const run = await mage.run(
      swarm(
        Array.from({ length: 1_000 }, () => item),
        { concurrency: Infinity },
      ),
    );
    expect((await run.result()).results).toHaveLength(1_000);
  });

  test("of nested containers is nested", async () => {
    const mage = open();
    const n = mage.task("n", ({ n }: { n: number }) => n);
    const plus = mage.task("plus", ({ result }: { result: number }) => result + 1);
    await mage.worker();
    const inner = swarm([chain([n.with({ n: 1 }), plus]), n.with({ n: 5 })]);
    const run = await mage.run(chain([n.with({ n: 0 }), inner]));
    const { results = [] } = await run.result();
    expect(results.map(({ result }) => result)).toEqual([2, 5]);
  });

  test("of nothing is null", async () => {
    const mage = open();
    const nothing = mage.task("nothing", async () => {});
    const undefinedFields = mage.task("undefined fields", () => ({ a: undefined, b: 1 }));
    await mage.worker();
    expect(await (await mage.run(nothing)).result()).toBe(null);
    expect(await (await mage.run(undefinedFields)).result()).toEqual({ b: 1 });
  });

  test("a chain fails with its step, and the steps behind are skipped", async () => {
    const mage = open();
    let ran = 0;
    const ok = mage.task("ok", () => void ran++);
    const fail = mage.task("fail", () => {
      throw Object.assign(new RangeError("too far", { cause: new Error("the wind") }), { code: "E_FAR" });
    });
    await mage.worker();
    const run = await mage.run(chain([ok, fail, ok, chain([ok, ok])], { name: "way" }));
    const error = await run.result().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(WorkflowFailedError);
    expect(error).toMatchObject({ code: "WORKFLOW_FAILED", id: run.id });
    expect((error as WorkflowFailedError).error).toMatchObject({
      name: "RangeError",
      message: "too far",
      code: "E_FAR",
      attempts: 1,
      stack: expect.stringContaining("results.test.ts"),
      cause: { name: "Error", message: "the wind" },
      path: [
        { id: run.id, name: "way", kind: "chain", slot: 0 },
        { id: `${run.id}.1`, name: "fail", kind: "task", slot: 1 },
      ],
    });
    await run.settled();
    expect(ran).toBe(1);
    const { items } = await run.children();
    expect(items.map(({ status }) => status)).toEqual(["SUCCEEDED", "FAILED", "SKIPPED", "SKIPPED"]);
    const skipped = await mage.get(`${run.id}.3.1`);
    await expect(skipped.result()).rejects.toThrow("it was skipped");
  });

  test("a swarm fails past stopAfterFailures: what runs ends, the rest is skipped", async () => {
    const mage = open();
    const ran: number[] = [];
    const item = mage.task("item", ({ n }: { n: number }) => {
      ran.push(n);
      if (n < 3) throw new Error(`no ${n}`);
    });
    await mage.worker();
    const items = Array.from({ length: 20 }, (_, n) => item.with({ n }));
    const run = await mage.run(swarm(items, { concurrency: 1, stopAfterFailures: 1 }));
    const settled = await run.settled();
    expect(settled).toMatchObject({ status: "FAILED", error: { code: "SWARM_FAILED" } });
    expect(ran).toEqual([0, 1]);
    expect(await run.counts()).toMatchObject({ total: 20, failed: 2, skipped: 18 });
  });

  test("stopAfterFailures: 0 stops at the first failure, a number that is not passed does not", async () => {
    const mage = open();
    const item = mage.task("item", ({ n }: { n: number }) => {
      if (n % 2 === 0) throw new Error("even");
    });
    await mage.worker();
    const items = Array.from({ length: 6 }, (_, n) => item.with({ n }));
    const strict = await mage.run(swarm(items, { concurrency: 1, stopAfterFailures: 0 }));
    expect(await strict.settled()).toMatchObject({ status: "FAILED" });
    expect(await strict.counts()).toMatchObject({ failed: 1, skipped: 5 });
    const patient = await mage.run(swarm(items, { concurrency: 1, stopAfterFailures: 3 }));
    expect(await patient.settled()).toMatchObject({ status: "SUCCEEDED" });
    expect(await patient.counts()).toMatchObject({ failed: 3, succeeded: 3, skipped: 0 });
  });

  test("a swarm fails when all its items do", async () => {
    const mage = open();
    const item = mage.task("item", () => {
      throw new Error("no");
    });
    await mage.worker();
    const run = await mage.run(swarm([item, item]));
    await expect(run.result()).rejects.toThrow("2 of 2 items failed");
  });

  test("never more items than the swarm's concurrency are started", async () => {
    const mage = open();
    let now = 0;
    let most = 0;
    const full = Promise.withResolvers<void>();
    const item = mage.task("item", async () => {
      most = Math.max(most, ++now);
      if (now === 3) full.resolve();
      await full.promise;
      await new Promise((resolve) => setImmediate(resolve));
      now--;
    });
    await mage.worker();
    await (
      await mage.run(
        swarm(
          Array.from({ length: 40 }, () => item),
          { concurrency: 3 },
        ),
      )
    ).result();
    expect(most).toBe(3);
  });

  test("of swarms in swarms tells of 10,000 items in all, and the counts of the rest", async () => {
    const mage = open();
    const item = mage.task("item", () => 1);
    await mage.worker({ concurrency: 1_000 });
    const inner = swarm(
      Array.from({ length: 900 }, () => item),
      { concurrency: 900 },
    );
    const run = await mage.run(
      swarm(
        Array.from({ length: 12 }, () => inner),
        { concurrency: 12 },
      ),
    );
    const { results = [] } = await run.result();
    const inline = results.filter(({ result }) => result?.results !== undefined);
    expect([results.length, inline.length]).toEqual([12, 11]);
    expect(results.at(-1)!.result).toEqual({ total: 900, succeeded: 900, failed: 0, skipped: 0 });
  });
});
