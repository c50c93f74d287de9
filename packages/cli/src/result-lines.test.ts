import { expect, test } from "vitest";
import { resultLines } from "./result-lines.ts";

const wide = { most: 4_000, width: Number.POSITIVE_INFINITY };

test("a result is JSON, cut to what is asked for", () => {
  expect(resultLines({ n: 1 }, { most: 100, width: 80 })).toEqual(["{", '  "n": 1', "}"]);
  expect(resultLines(undefined, { most: 100, width: 80 })).toEqual(["null"]);
  expect(resultLines("x".repeat(50), { most: 10, width: 80 })).toEqual([
    `"${"x".repeat(9)}`,
    "… 42 more characters; --verbose or --json prints all",
  ]);
});

test("lines of a result are cut to the screen, unless all is asked for", () => {
  const stack = "Error: no\n    at somewhere far away (/a/long/path/to/a/file.ts:1:2)";
  const result = { n: 1, stack };
  expect(resultLines(result, { most: 4_000, width: 20 })).toEqual([
    "{",
    '  "n": 1,',
    '  "stack": "Error: …',
    "}",
    "lines are cut; --verbose or --json prints all",
  ]);
  expect(resultLines(result, { most: Number.POSITIVE_INFINITY, width: 20 })[2]).toContain("file.ts:1:2");
});

test("a large swarm is told in its first failures and its counts, which come last", () => {
  const results = Array.from({ length: 30 }, (_, index) => ({
    index,
    id: `r.${index}`,
    ...(index % 3 === 0
      ? { status: "FAILED", error: { name: "Error", message: `no ${index}`, attempts: 1, path: [] } }
      : { status: "SUCCEEDED", result: index }),
  }));
  const counts = { total: 30, succeeded: 20, failed: 10, skipped: 0 };
  expect(resultLines({ ...counts, results }, wide)).toEqual([
    ...[0, 3, 6, 9, 12].map((n) => `failed ${n} r.${n} Error: no ${n}`),
    "… 5 more failed",
    "30 items: 20 succeeded, 10 failed (--verbose or --json prints all)",
  ]);
  expect(resultLines({ total: 5_000, succeeded: 5_000, failed: 0, skipped: 0 }, wide)).toEqual([
    "5,000 items: 5,000 succeeded",
  ]);
  expect(resultLines({ ...counts, results }, { most: 4_000, width: 30 })[0]).toBe("failed 0 r.0 Error: no 0");
  expect(resultLines({ ...counts, results }, { ...wide, most: Number.POSITIVE_INFINITY })[0]).toBe("{");
  const small = { total: 1, succeeded: 1, failed: 0, skipped: 0, results: [] };
  expect(resultLines(small, wide)[0]).toBe("{");
  expect(resultLines({ ...counts, of: "a task" }, wide)[0]).toBe("{");
});
