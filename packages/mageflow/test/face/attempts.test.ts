import { once } from "node:events";
import { expect, test } from "vitest";
import { z } from "zod";
import { chain, TerminalError } from "../../src/index.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

const AT_ONCE = { type: "fixed", delay: 0 } as const;

onEachStore("attempts", (open) => {
  test("are as many as asked for, with one idempotency key", async () => {
    const mage = open();
    const seen: [number, number, string][] = [];
    const flaky = mage.task("flaky", { retry: { attempts: 4, backoff: AT_ONCE } }, (_input: unknown, ctx) => {
      seen.push([ctx.attempt, ctx.generation, ctx.idempotencyKey]);
      if (ctx.attempt < 3) throw new Error("not yet");
      return ctx.attempt;
    });
    await mage.worker();
    const run = await mage.run(flaky);
    expect(await run.result()).toBe(3);
    const key = seen[0]![2];
    expect(seen).toEqual([
      [1, 1, key],
      [2, 1, key],
      [3, 1, key],
    ]);
  });

  test("end with the last one's error", async () => {
    const mage = open();
    const fail = mage.task("fail", { retry: { attempts: 3, backoff: AT_ONCE } }, (_input: unknown, ctx) => {
      throw new Error(`attempt ${ctx.attempt}`);
    });
    await mage.worker();
    const settled = await (await mage.run(fail)).settled();
    expect(settled).toMatchObject({ status: "FAILED", error: { message: "attempt 3", attempts: 3 } });
  });

  test("end at a TerminalError", async () => {
    const mage = open();
    let tries = 0;
    const retry = { attempts: 5, backoff: AT_ONCE };
    const plain = mage.task("plain", { retry }, () => {
      tries++;
      throw new TerminalError("hopeless", { cause: new Error("why") });
    });
    const inside = mage.task("inside a step", { retry }, async (_input: unknown, ctx) => {
      tries++;
      await ctx.step("step", () => {
        throw new TerminalError("hopeless");
      });
    });
    await mage.worker();
    for (const plan of [plain, inside]) {
      tries = 0;
      const settled = await (await mage.run(plan)).settled();
      expect(settled).toMatchObject({
        status: "FAILED",
        error: { name: "TerminalError", code: "TERMINAL", message: "hopeless", attempts: 1 },
      });
      expect(tries).toBe(1);
    }
  });

  test("end at a result that its schema or JSON refuses", async () => {
    const mage = open();
    const retry = { attempts: 5, backoff: AT_ONCE };
    const output = z.object({ list: z.array(z.object({ n: z.number() })) });
    const wrong = mage.task("wrong", { retry, output }, () => ({ list: [{ n: "1" as never }] }));
    const date = mage.task("date", { retry }, () => ({ made: new Date() }));
    await mage.worker();
    expect(await (await mage.run(wrong)).settled()).toMatchObject({
      error: { code: "VALIDATION", message: expect.stringContaining("$.list[0].n"), attempts: 1 },
    });
    expect(await (await mage.run(date)).settled()).toMatchObject({
      error: { code: "PAYLOAD", message: expect.stringContaining("result.made"), attempts: 1 },
    });
  });

  test("end at an input that its schema refuses, found when it was complete", async () => {
    const mage = open();
    const bad = mage.task("bad", () => ({ n: "text" as never as number }));
    const needs = mage.task(
      "needs",
      { input: z.object({ n: z.number() }), retry: { attempts: 5, backoff: AT_ONCE } },
      () => 1,
    );
    await mage.worker();
    expect(await (await mage.run(chain([bad, needs]))).settled()).toMatchObject({
      status: "FAILED",
      error: { code: "VALIDATION", attempts: 1, message: expect.stringContaining("$.n") },
    });
  });

  test("wait for the backoff, which is visible", async () => {
    const mage = open();
    const retry = { attempts: 2, backoff: { type: "fixed", delay: "1h", jitter: "none" } } as const;
    const fail = mage.task("fail", { retry }, () => {
      throw new Error("no");
    });
    await mage.worker();
    const run = await mage.run(fail);
    for await (const event of run.events({ since: 0 })) if (event.type === "retrying") break;
    const view = await run.view();
    expect(view).toMatchObject({ status: "WAITING", attempt: 2 });
    expect(view.dueAt! - view.startedAt!).toBeGreaterThanOrEqual(3_600_000);
  });

  test("have a limit each", async () => {
    const mage = open();
    const reasons: unknown[] = [];
    const slow = mage.task(
      "slow",
      { timeout: 20, retry: { attempts: 2, backoff: AT_ONCE } },
      async (_input: unknown, { signal, attempt }) => {
        if (attempt === 2) return "in time";
        const aborted = Promise.withResolvers<void>();
        signal.addEventListener("abort", () => aborted.resolve());
        await aborted.promise;
        reasons.push((signal.reason as { code: string }).code);
        return "too late";
      },
    );
    await mage.worker();
    expect(await (await mage.run(slow)).result()).toBe("in time");
    expect(reasons).toEqual(["TIMEOUT"]);
  });

  test("have a limit in all, waits included", async () => {
    const mage = open();
    const backoff = { type: "fixed", delay: "1h", jitter: "none" } as const;
    const fail = mage.task("fail", { totalTimeout: "2s", retry: { attempts: 9, backoff } }, () => {
      throw new Error("the wait would be longer than what is left");
    });
    const slow = mage.task("slow", { totalTimeout: 30 }, async (_input: unknown, { signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    });
    await mage.worker();
    expect(await (await mage.run(fail)).settled()).toMatchObject({
      error: {
        attempts: 1,
        name: "Error",
        message: expect.stringMatching(
          /left \(its totalTimeout of 2000 ms leaves no time for attempt 2 of 9\)$/,
        ),
      },
    });
    expect(await (await mage.run(slow)).settled()).toMatchObject({
      error: { code: "TIMEOUT", message: expect.stringContaining("totalTimeout") },
    });
  });

  test("have that limit from the first of them, however long they waited for a worker", async () => {
    const mage = open();
    const late = mage.task("late", { totalTimeout: "20ms" }, (_input: unknown, ctx) => ctx.attempt);
    const run = await mage.run(late);
    const created = (await run.view()).createdAt;
    while (Date.now() < created + 40) await mage.reconcile();
    await mage.worker();
    expect(await run.result()).toBe(1);
  });

  test("have timed out when their code blocks beyond the limit", async () => {
    const mage = open();
    const block = (ms: number): void => {
      for (const end = performance.now() + ms; performance.now() < end;);
    };
    const seen: unknown[] = [];
    const each = mage.task(
      "each",
      { timeout: 10, retry: { attempts: 2, backoff: AT_ONCE } },
      (_input, ctx) => {
        ctx.defer(() => seen.push((ctx.signal.reason as { code?: string } | undefined)?.code));
        block(30);
        return "too late";
      },
    );
    const all = mage.task("all", { totalTimeout: 10 }, async () => {
      await Promise.resolve();
      block(30);
    });
    await mage.worker();
    const settled = await (await mage.run(each)).settled();
    expect(settled).toMatchObject({ status: "FAILED", error: { code: "TIMEOUT", attempts: 2 } });
    expect(settled.error!.message).toContain("its timeout of 10 ms");
    expect(seen).toEqual(["TIMEOUT", "TIMEOUT"]);
    expect(await (await mage.run(all)).settled()).toMatchObject({
      error: { code: "TIMEOUT", message: expect.stringContaining("its totalTimeout of 10 ms") },
    });
  });

  test("that throw after they have ended warn of what they threw", async () => {
    const mage = open();
    const late = mage.task("late", () => {
      setImmediate(() => {
        throw new TypeError("too late", { cause: new Error("the reason") });
      });
    });
    await mage.worker();
    const warned = once(process, "warning") as Promise<[Error & { detail: string }]>;
    expect(await (await mage.run(late)).result()).toBe(null);
    const [{ message, detail }] = await warned;
    expect(message).toBe('Error: "late" threw after it had ended: TypeError: too late');
    expect(detail).toMatch(/\ncaused by TypeError: too late\n[^]*\ncaused by Error: the reason\n/);
  });

  test("that ignore their signal are given up after the worker's grace", async () => {
    const mage = open();
    const { wait, open: letGo } = gate();
    const deaf = mage.task("deaf", { timeout: 10 }, () => wait());
    await mage.worker({ grace: 10 });
    expect(await (await mage.run(deaf)).settled()).toMatchObject({ error: { code: "TIMEOUT" } });
    letGo();
  });
});
