import { expect, test } from "vitest";
import { JumpGuard } from "./jump-guard.ts";

const HOUR = 3_600_000;

test("removals wait for an hour after the store's clock was set", () => {
  const guard = new JumpGuard();
  const jumps: number[] = [];
  const at = (store: number, monotonic: number): boolean =>
    guard.steady(store, monotonic, (by) => jumps.push(by));
  expect(at(1_000_000, 0)).toBe(true);
  expect(at(1_001_000, 1_000)).toBe(true);
  expect(at(1_002_000 + 10 * HOUR, 2_000)).toBe(false);
  expect(at(1_002_000 + 11 * HOUR - 1, HOUR + 1_999)).toBe(false);
  expect(at(1_002_000 + 11 * HOUR, HOUR + 2_000)).toBe(true);
  expect(jumps).toEqual([10 * HOUR]);
});

test("a clock that is set right again ends the wait", () => {
  const guard = new JumpGuard();
  guard.steady(0, 0, () => {});
  expect(guard.steady(10 * HOUR, 1_000, () => {})).toBe(false);
  expect(guard.steady(2_000, 2_000, () => {})).toBe(true);
});

test("nothing is removed while the store's time stands still, because its clock was set back", () => {
  const guard = new JumpGuard();
  guard.steady(0, 0, () => {});
  expect(guard.steady(10 * HOUR, 1_000, () => {})).toBe(false);
  for (let second = 2; second < 10_000; second++) {
    const steady = guard.steady(10 * HOUR, second * 1_000, () => {});
    expect(steady).toBe(false);
  }
  expect(guard.steady(10 * HOUR + 1, 10_000_000, () => {})).toBe(true);
});

test("a clock that drifts by minutes over hours is not set", () => {
  const guard = new JumpGuard();
  for (let second = 0; second < 10_000; second += 10) {
    expect(guard.steady(second * 1_100, second * 1_000, () => {})).toBe(true);
  }
});
