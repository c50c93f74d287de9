import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Duration, milliseconds, millisecondsGiven, someMilliseconds } from "./duration.ts";
import { InvalidPlanError } from "./errors.ts";

describe("milliseconds", () => {
  it.each([
    [0, 0],
    [250, 250],
    [0.4, 0],
    [1.5, 2],
    ["250ms", 250],
    ["5s", 5_000],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["7d", 604_800_000],
    ["25d", 2_160_000_000],
    ["1.5h", 5_400_000],
    ["36500d", 36_500 * 86_400_000],
  ] as const)("%j is %d ms", (duration, ms) => {
    expect(milliseconds(duration, "delay")).toBe(ms);
  });

  it.each([
    [-1],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [Number.MAX_VALUE],
    ["36501d"],
    [""],
    ["5"],
    ["s"],
    ["-5s"],
    [" 5s"],
    ["5s "],
    ["5 s"],
    ["5S"],
    ["5w"],
    ["1e3s"],
    ["0x5s"],
    ["5s5s"],
    [".5s"],
    [null],
    [undefined],
    [{}],
    [10n],
  ])("refuses %s", (duration) => {
    expect(() => milliseconds(duration as Duration, "delay")).toThrow(InvalidPlanError);
  });

  it("names what it was given for", () => {
    expect(() => milliseconds("soon" as Duration, "retry.backoff.delay")).toThrow(
      'retry.backoff.delay is "soon", which is not a duration',
    );
    expect(() => milliseconds("soon" as Duration, "x")).toThrow(
      expect.objectContaining({ code: "INVALID_PLAN" }),
    );
  });

  it("says what is too long", () => {
    expect(() => milliseconds("100000000d", "timeout")).toThrow(
      'timeout is "100000000d", longer than 100 years; give a shorter one',
    );
  });

  it("of a call is an argument", () => {
    expect(millisecondsGiven("5s", "timeout")).toBe(5_000);
    expect(() => millisecondsGiven(-1, "timeout")).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it("is more than none, where none makes no sense", () => {
    expect(someMilliseconds(1, "timeout")).toBe(1);
    for (const none of [0, 0.4, "0s"] as const)
      expect(() => someMilliseconds(none, "timeout")).toThrow(/give more than 0/);
  });

  it("shows the number that it refuses", () => {
    expect(() => milliseconds(Number.NaN, "delay")).toThrow("NaN");
    expect(() => milliseconds(Number.POSITIVE_INFINITY, "delay")).toThrow("Infinity");
  });

  it("gives whole milliseconds", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 86_400_000, noNaN: true }), (ms) => {
        expect(Number.isInteger(milliseconds(ms, "delay"))).toBe(true);
      }),
    );
  });
});
