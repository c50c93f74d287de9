/* oxlint-disable vitest/no-conditional-expect -- compares pairs of one name only. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byTurn, choose } from "./choose.ts";
import type { SignatureRecord } from "./record.ts";
import { task } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

const [sample] = (() => {
  const stage = new Stage();
  return [stage.submit(task("sample"))];
})();

const ready = (id: string, given: Partial<SignatureRecord> = {}): SignatureRecord => ({
  ...sample,
  id,
  name: "a",
  priority: 0,
  readyAt: 1_000,
  ...given,
});

const ids = (records: readonly SignatureRecord[]) => records.map((record) => record.id);

describe("byTurn", () => {
  it("is by priority, then age, then id, bytewise", () => {
    const records = [
      ready("r.b"),
      ready("r.a"),
      ready("r.B"),
      ready("old", { readyAt: 1 }),
      ready("high", { priority: 5, readyAt: 9_999 }),
      ready("low", { priority: -5, readyAt: 0 }),
    ];
    expect(ids(records.toSorted(byTurn))).toEqual(["high", "old", "r.B", "r.a", "r.b", "low"]);
    expect(byTurn(sample, sample)).toBe(0);
  });
});

describe("choose", () => {
  it("takes those first whose turn it is, within the slots of each name and in all", () => {
    const records = [
      ready("5", { name: "b" }),
      ready("1"),
      ready("2"),
      ready("3"),
      ready("4", { name: "unknown" }),
      ready("6", { name: "b" }),
    ];
    const tasks = new Map([
      ["a", 2],
      ["b", 5],
    ]);
    expect(ids(choose(records, { workerId: "w", slots: 10, tasks }))).toEqual(["1", "2", "5", "6"]);
    expect(ids(choose(records, { workerId: "w", slots: 3, tasks }))).toEqual(["1", "2", "5"]);
    expect(choose(records, { workerId: "w", slots: 0, tasks })).toEqual([]);
    expect(choose(records, { workerId: "w", slots: 5, tasks: new Map() })).toEqual([]);
    expect(choose([], { workerId: "w", slots: 5, tasks })).toEqual([]);
  });

  it("takes as many as it can, and none before another of its name whose turn is earlier", () => {
    const record = fc.record({
      priority: fc.integer({ min: -2, max: 2 }),
      readyAt: fc.nat(3),
      name: fc.constantFrom("a", "b", "c"),
    });
    fc.assert(
      fc.property(fc.array(record), fc.nat(12), fc.nat(6), fc.nat(6), (given, slots, a, b) => {
        const records = given.map((fields, i) => ready(`r.${i}`, fields));
        const tasks = new Map([
          ["a", a],
          ["b", b],
        ]);
        const order = ids(records);
        const chosen = choose(records, { workerId: "w", slots, tasks });
        expect(ids(records)).toEqual(order);
        expect(chosen).toEqual(chosen.toSorted(byTurn));
        const count = (name: string, list: readonly SignatureRecord[]) =>
          list.filter((one) => one.name === name).length;
        const room = Math.min(a, count("a", records)) + Math.min(b, count("b", records));
        expect(chosen).toHaveLength(Math.min(slots, room));
        expect(count("a", chosen)).toBeLessThanOrEqual(a);
        expect(count("b", chosen)).toBeLessThanOrEqual(b);
        const left = records.filter((one) => !chosen.includes(one));
        for (const one of chosen) {
          for (const other of left) if (other.name === one.name) expect(byTurn(one, other)).toBeLessThan(0);
        }
      }),
    );
  });
});
