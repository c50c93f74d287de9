import { beforeEach, expect, test } from "vitest";
import { ServerTime } from "./server-time.ts";

let monotonic: number;
let time: ServerTime;

beforeEach(() => {
  monotonic = 100;
  time = new ServerTime(() => monotonic);
});

test("is not known before the server has said anything, nor long after it has", () => {
  expect(time.now()).toBeNull();
  time.hear(5_000);
  monotonic += 1_001;
  expect(time.now()).toBeNull();
});

test("goes on with the monotonic clock from what the server said", () => {
  time.hear(5_000);
  monotonic += 40.7;
  expect(time.now()).toBe(5_040);
});

test("is taken from the answer that was heard soonest", () => {
  time.hear(5_000);
  monotonic += 100;
  // Said 30 ms ago.
  time.hear(5_070);
  expect(time.now()).toBe(5_100);
});

test("never goes back, and follows a clock that was set back in the end", () => {
  time.hear(5_000);
  const last = time.now();
  for (let second = 1; second <= 60; second++) {
    monotonic += 1_000;
    time.hear(4_000 + second * 1_000);
    expect(time.now()).toBeGreaterThanOrEqual(last!);
  }
  expect(time.now()).toBe(64_000);
});
