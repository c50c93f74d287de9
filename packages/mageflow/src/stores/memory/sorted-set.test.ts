import fc from "fast-check";
import { expect, test } from "vitest";
import { SortedSet } from "./sorted-set.ts";

const byNumber = (a: number, b: number): number => a - b;

test("keeps the order of a sorted array through puts and deletes", () => {
  const step = fc.record({ put: fc.boolean(), value: fc.integer({ min: 0, max: 3_000 }) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 4_000, size: "max" }), (steps) => {
      const set = new SortedSet(byNumber);
      const model = new Set<number>();
      for (const { put, value } of steps) {
        if (put) {
          set.put(value);
          model.add(value);
        } else {
          set.delete(value);
          model.delete(value);
        }
      }
      const sorted = [...model].toSorted(byNumber);
      expect([...set]).toEqual(sorted);
      expect(set.size).toBe(sorted.length);
      const from = steps[0]!.value;
      expect([...set.from((value) => value <= from)]).toEqual(sorted.filter((value) => value > from));
    }),
    { numRuns: 30 },
  );
});

test("a value that compares equal is replaced", () => {
  const set = new SortedSet<{ at: number; name: string }>((a, b) => a.at - b.at);
  set.put({ at: 1, name: "first" });
  set.put({ at: 1, name: "second" });
  expect([...set]).toEqual([{ at: 1, name: "second" }]);
});

test("deleting what is not there changes nothing", () => {
  const set = new SortedSet(byNumber);
  set.delete(1);
  set.put(2);
  set.delete(1);
  set.delete(3);
  expect([...set]).toEqual([2]);
});
