import type { ResumeEntry, ResumeReport } from "mageflow";
import { expect, test } from "vitest";
import { reportLines } from "./report-lines.ts";

const entry = (n: number): ResumeEntry => ({
  id: `a${n}`,
  name: "work",
  what: "resumed",
  why: "its worker was\nlost",
});

function reported(count: number, other: Partial<ResumeReport> = {}): ResumeReport {
  const counts = { seen: count, resumed: count, started: 0, kept: 0, skipped: 0, parked: 0, failed: 0 };
  const entries = Array.from({ length: Math.min(1_000, count) }, (_, n) => entry(n));
  return { id: "r", at: 0, by: "s-1", reason: "lost worker", ...counts, more: false, entries, ...other };
}

test("tells when and why, how many, and which", () => {
  expect(reportLines(reported(1, { seen: 1_001, kept: 1_000, more: true }), false)).toEqual([
    "1970-01-01 00:00:00.000Z  lost worker (s-1)",
    "1,001 or more seen: 1 resumed, 1,000 kept",
    "ID  NAME  WHAT     WHY",
    "a0  work  resumed  its worker was\\nlost",
    "… and 1,000 more; --verbose shows up to 1,000",
  ]);
});

test("shows twenty entries, or all that there are", () => {
  expect(reportLines(reported(25), false)).toHaveLength(3 + 20 + 1);
  expect(reportLines(reported(25), true)).toHaveLength(3 + 25);
  expect(reportLines(reported(1_500), true).at(-1)).toBe("… and 500 more");
});
