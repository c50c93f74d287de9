import { describe, expect, it } from "vitest";
import { InvalidPlanError } from "./errors.ts";
import { instant } from "./instant.ts";

describe("instant", () => {
  it.each([
    [new Date(12), 12],
    [0, 0],
    [-5, -5],
    [8.64e15, 8.64e15],
    [new Date(-8.64e15), -8.64e15],
  ])("takes %o", (given, ms) => {
    expect(instant(given, "at")).toBe(ms);
  });

  it.each<[unknown, string]>([
    [0.5, "at is 0.5"],
    [8.64e15 + 1, "at is 8640000000000001"],
    [Number.POSITIVE_INFINITY, "at is Infinity"],
    [Number.NaN, "at is NaN"],
    [new Date("nonsense"), "at is an invalid Date"],
    ["2026-01-01T00:00:00Z", 'at is "2026-01-01T00:00:00Z"'],
    ["12", 'at is "12"'],
    [true, "at is true"],
    [null, "at is null"],
    [[5], "at is an array"],
  ])("refuses %o and tells what it takes", (given, found) => {
    expect(() => instant(given, "at")).toThrow(InvalidPlanError);
    expect(() => instant(given, "at")).toThrow(`${found}; give a Date, or whole epoch milliseconds`);
  });
});
