import { expect, test } from "vitest";
import { instant, number, span } from "./span.ts";

test.each([
  [-5, "0ms"],
  [0, "0ms"],
  [999.4, "999ms"],
  [1_449, "1.4s"],
  [9_949, "9.9s"],
  [9_950, "10s"],
  [10_000, "10s"],
  [59_499, "59s"],
  [59_500, "1m"],
  [61_000, "1m 1s"],
  [119_600, "2m"],
  [3_599_499, "59m 59s"],
  [3_599_950, "1h"],
  [3_600_000, "1h"],
  [3_600_000 * 24 - 1, "1d"],
  [90_061_000, "1d 1h"],
  [7 * 86_400_000 - 2_000, "7d"],
  [400 * 86_400_000, "400d"],
])("%d ms is %s", (ms, text) => {
  expect(span(ms)).toBe(text);
});

test("instants are UTC to the millisecond, and what is none is shown as it is", () => {
  expect(instant(0)).toBe("1970-01-01 00:00:00.000Z");
  expect(instant(Number.MAX_VALUE)).toBe(String(Number.MAX_VALUE));
  expect(number(1_234_567)).toBe("1,234,567");
});
