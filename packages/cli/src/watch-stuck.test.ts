import { MageFlow } from "mageflow";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { clip } from "./plain-text.ts";
import { watchStuck } from "./watch-stuck.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "performance"] }));

afterEach(() => vi.useRealTimers());

/** Lets so much time pass (ms), and says what has been told by then. */
async function after(ms: number, told: string[]): Promise<number> {
  await vi.advanceTimersByTimeAsync(ms);
  return told.length;
}

test("what no worker seems to run just after the store was away is told only when workers had the time to come back", async () => {
  await using mage = new MageFlow({ store: "memory:" });
  let unhandled: Map<string, number> | null = new Map();
  mage.unhandled = () =>
    unhandled === null ? Promise.reject(new Error("it is away")) : Promise.resolve(unhandled);
  const told: string[] = [];
  const end = watchStuck({ mage, say: (line) => told.push(line), quote: clip });
  unhandled = null;
  await after(20_000, told);
  unhandled = new Map([["lapsed", 1]]);
  expect(await after(10_000, told)).toBe(0);
  unhandled = new Map([["missing", 1]]);
  expect(await after(10_000, told)).toBe(1);
  expect(told[0]).toContain('no worker runs "missing"');
  unhandled = new Map([["another", 1]]);
  expect(await after(2_000, told)).toBe(2);
  end();
});
