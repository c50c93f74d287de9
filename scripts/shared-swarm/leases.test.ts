import { expect, test } from "vitest";
import type { Row } from "../chaos/ledger.ts";
import { leasesOf } from "./leases.ts";

/** What happened, as `+id` and `-id`, ten milliseconds apart. */
function rows(...happened: string[]): Row[] {
  return happened.map((one, n) => ({
    what: one.startsWith("+") ? "start" : "end",
    id: one.slice(1),
    pid: 1,
    at: n * 10,
  }));
}

test("leases are counted from start to end", () => {
  expect(leasesOf(rows("+a", "+b", "-a", "+c", "+d"), 2)).toMatchObject({ most: 3 });
});

test("what was started again has one lease", () => {
  expect(leasesOf(rows("+a", "+b", "+a", "-b", "+c", "-a"), 2)).toMatchObject({ most: 2 });
});

test("what ended and was started again had its lease in between", () => {
  expect(leasesOf(rows("+a", "+b", "-a", "-b", "+b", "+c", "-b", "-c"), 2)).toEqual({
    most: 2,
    longestBelow: 30,
    full: 1 - 30 / 40,
  });
});

test("a swarm that never had all is below from its beginning to its end", () => {
  expect(leasesOf(rows("+a", "-a", "+b", "-b"), 2)).toEqual({ most: 1, longestBelow: 30, full: 0 });
  expect(leasesOf([], 2)).toEqual({ most: 0, longestBelow: 0, full: 0 });
});

test("the longest stretch with fewer than all", () => {
  const some = rows("+a", "+b", "-a", "+c", "-b", "-c", "+d", "+e", "-d");
  expect(leasesOf(some, 2)).toEqual({ most: 2, longestBelow: 30, full: 1 - 40 / 60 });
});
