import fc from "fast-check";
import { expect, test } from "vitest";
import { between } from "./between.ts";

const LOW = "01jdabc0000000000000000000";
const HIGH = "01jdzzz0000000000000000000";

test.each([
  [0, "01jdabc000"],
  [0.5, "01jdn"],
  [0.999, "01jdz"],
])("%d of the way", (part, begins) => {
  expect(between(LOW, HIGH, part)).toContain(begins);
});

test("lies between, further on for a greater part", () => {
  const id = fc.stringMatching(/^[0-9a-z]{8,26}(\.[0-9]{1,2})?$/);
  fc.assert(
    fc.property(fc.tuple(id, id), fc.tuple(fc.double(UNIT), fc.double(UNIT)), ([a, b], parts) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      const [near, far] = parts.toSorted((x, y) => x - y).map((part) => between(low, high, part));
      expect(near! <= far!).toBe(true);
      expect(far! <= high).toBe(true);
      expect(near! >= low.slice(0, 6)).toBe(true);
    }),
    {
      examples: [
        [
          ["00000000", "00000000.0"],
          [0.365, 0.37],
        ],
      ],
    },
  );
});

test("stays where it is when there is nowhere to go", () => {
  expect(between("a", "a", 0.5)).toMatch(/^a!/);
  expect(between("b", "a", 0.9).startsWith("b")).toBe(true);
});

const UNIT = { min: 0, max: 1, maxExcluded: true, noNaN: true };
