import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidPlanError } from "./errors.ts";
import { backoffMs, type Retry, type RetryPolicy, retryPolicy } from "./retry.ts";

const policy = (given: Partial<RetryPolicy>): RetryPolicy => ({
  attempts: 10,
  type: "exponential",
  delay: 1_000,
  max: 60_000,
  jitter: "none",
  ...given,
});

describe("retryPolicy", () => {
  it("means one attempt when nothing is given", () => {
    const defaults = { attempts: 1, type: "exponential", delay: 1_000, max: 60_000, jitter: "full" };
    expect(retryPolicy(undefined)).toEqual(defaults);
    expect(retryPolicy({})).toEqual(defaults);
  });

  it("takes the short form and the long one", () => {
    expect(retryPolicy({ attempts: 4, backoff: "fixed" })).toMatchObject({
      attempts: 4,
      type: "fixed",
      delay: 1_000,
      max: 1_000,
      jitter: "none",
    });
    expect(
      retryPolicy({ attempts: 2, backoff: { type: "exponential", delay: "2s", max: "1h", jitter: "none" } }),
    ).toEqual({ attempts: 2, type: "exponential", delay: 2_000, max: 3_600_000, jitter: "none" });
  });

  it("waits exactly when it is fixed, unless jitter is asked for", () => {
    expect(retryPolicy({ backoff: { type: "fixed", delay: "5s" } })).toMatchObject({ jitter: "none" });
    expect(retryPolicy({ backoff: { type: "fixed", jitter: "full" } })).toMatchObject({ jitter: "full" });
    expect(retryPolicy({ backoff: "exponential" })).toMatchObject({ jitter: "full" });
  });

  it.each([
    [{ attempts: 0 }],
    [{ attempts: -1 }],
    [{ attempts: 1.5 }],
    [{ attempts: Number.NaN }],
    [{ attempts: Number.POSITIVE_INFINITY }],
    [{ attempts: "3" }],
    [3],
    [null],
    [{ attempt: 3 }],
    [{ backoff: 5 }],
    [{ backoff: { type: "fixed", wait: 5 } }],
    [{ backoff: "linear" }],
    [{ backoff: {} }],
    [{ backoff: { type: "fixed", delay: -1 } }],
    [{ backoff: { type: "fixed", delay: "soon" } }],
    [{ backoff: { type: "exponential", max: "1y" } }],
    [{ backoff: { type: "exponential", jitter: "some" } }],
  ])("refuses %j", (retry) => {
    expect(() => retryPolicy(retry as Retry)).toThrow(InvalidPlanError);
  });
});

it("a backoff without a type is told of as such", () => {
  expect(() => retryPolicy({ backoff: { delay: "1s" } as never })).toThrow(
    'retry.backoff.type is undefined; give "exponential" or "fixed"',
  );
  expect(() => retryPolicy({ backoff: "linear" as never })).toThrow('retry.backoff is "linear"');
});

describe("backoffMs", () => {
  it("doubles up to the longest wait", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => backoffMs(policy({}), attempt, "id"));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(backoffMs(policy({ max: Number.MAX_SAFE_INTEGER }), 5_000, "id")).toBeLessThanOrEqual(
      Number.MAX_SAFE_INTEGER,
    );
  });

  it("stays the same when it is fixed", () => {
    expect([1, 2, 30].map((attempt) => backoffMs(policy({ type: "fixed" }), attempt, "id"))).toEqual([
      1_000, 1_000, 1_000,
    ]);
  });

  it("never waits longer than an explicit max, exponential or fixed", () => {
    const fixed = retryPolicy({
      attempts: 2,
      backoff: { type: "fixed", delay: "5s", max: "1s", jitter: "none" },
    });
    expect(backoffMs(fixed, 1, "id")).toBe(1_000);
  });

  it("draws a whole number between 0 and the wait, the same one for the same signature and attempt", () => {
    fc.assert(
      fc.property(
        fc.record({
          attempts: fc.constant(100),
          type: fc.constantFrom("exponential" as const, "fixed" as const),
          delay: fc.nat(100_000),
          max: fc.integer({ min: 100_000, max: 10_000_000 }),
          jitter: fc.constantFrom("full" as const, "none" as const),
        }),
        fc.integer({ min: 1, max: 2_000 }),
        fc.string(),
        (given, attempt, id) => {
          const wait = backoffMs(given, attempt, id);
          const whole = backoffMs({ ...given, jitter: "none" }, attempt, id);
          expect(Number.isInteger(wait)).toBe(true);
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(Math.min(whole, given.max));
          expect(backoffMs(given, attempt, id)).toBe(wait);
        },
      ),
    );
  });

  it("spreads a crowd that failed together over the whole wait", () => {
    const full = policy({ jitter: "full", delay: 10_000, max: 10_000 });
    const seconds = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 10_000; i++) seconds[Math.floor(backoffMs(full, 1, `swarm.${i}`) / 1_000)]!++;
    for (const count of seconds) {
      expect(count).toBeGreaterThan(850);
      expect(count).toBeLessThan(1_150);
    }
  });

  it("draws anew for each attempt", () => {
    const full = policy({ jitter: "full", type: "fixed", delay: 1_000_000 });
    const waits = new Set([1, 2, 3, 4, 5].map((attempt) => backoffMs(full, attempt, "id")));
    expect(waits.size).toBe(5);
  });
});
