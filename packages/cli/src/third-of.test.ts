import { expect, test } from "vitest";
import { thirdOf } from "./third-of.ts";

test.each([
  ["15s", "5s"],
  ["1s", "0.333s"],
  ["1.5m", "0.5m"],
  ["100ms", "33.333ms"],
] as const)("a third of %s is %s", (whole, third) => {
  expect(thirdOf(whole)).toBe(third);
});

test("what is no duration is left to others", () => {
  expect(thirdOf("1x" as "1s")).toBe("1x");
});
