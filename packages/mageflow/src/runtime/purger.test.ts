import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../engines/embedded/system-clock.ts";
import { MageFlow } from "../mageflow.ts";
import type { Store } from "../ports/store.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";
import { sqliteStore } from "../stores/sqlite/index.ts";
import { autoResume } from "./auto-resume.ts";
import { Committer } from "./committer.ts";
import { Reconciler } from "./reconciler.ts";
import { SpecCache } from "./spec-cache.ts";

const STORES: Readonly<Record<string, (now: () => number) => Store>> = {
  memory: (now) => memoryStore({ now }),
  sqlite: (now) => sqliteStore(":memory:", { now }),
};
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const YEAR = 365 * 24 * HOUR;

describe.each(Object.keys(STORES))("when the store's clock is set (%s)", (name) => {
  let store: Store;
  let rounds: Reconciler;
  let warned: string[];
  /** What the two clocks show. */
  let [wall, monotonic] = [0, 0];

  beforeEach(async () => {
    warned = [];
    vi.spyOn(process, "emitWarning").mockImplementation((warning) => void warned.push(String(warning)));
    wall = 1_800_000_000_000;
    store = STORES[name]!(() => wall);
    const mage = new MageFlow({ store });
    const task = mage.task("task", () => 1);
    for (const after of ["30d", "365d", "3650d"] as const) await (await mage.create(task)).delete({ after });
    await mage.close();
    await store.open();
    const clock = { ...systemClock, monotonic: () => monotonic };
    const committer = new Committer(store, clock, new SpecCache(), "s-test");
    const parts = { store, clock, committer, session: "s-test", handlers: new Map(), newId: () => "r" };
    rounds = new Reconciler({ ...parts, autoResume: autoResume() }, null);
    await rounds.tick();
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await store.close();
  });

  /** Workflows that are left after a round, which comes so much later. */
  async function left(later: number): Promise<number> {
    wall += later;
    monotonic += later;
    await rounds.tick();
    return (await store.list({ roots: true, marked: true, after: null, limit: 10 })).length;
  }

  test("forward by years, nothing is removed for an hour, and people are warned", async () => {
    wall += 20 * YEAR;
    expect(await left(SECOND)).toBe(3);
    expect(warned.join()).toContain("nothing is purged for an hour, check the clock");
    expect(await left(HOUR - SECOND)).toBe(3);
    expect(await left(SECOND)).toBe(0);
    expect(warned).toHaveLength(1);
  });

  test("forward by years and right again, nothing is removed before its time", async () => {
    wall += 20 * YEAR;
    expect(await left(SECOND)).toBe(3);
    wall -= 20 * YEAR;
    for (let minute = 0; minute < 200; minute++) {
      const remaining = await left(60 * SECOND);
      expect(remaining).toBe(3);
    }
  });

  test("back by years, nothing is removed that was not due", async () => {
    wall -= 20 * YEAR;
    expect(await left(SECOND)).toBe(3);
    expect(await left(2 * HOUR)).toBe(3);
  });

  test("while time goes on as it should, each is removed when it is due", async () => {
    const days = [29, 1, 334, 1, 3_284, 1];
    const remaining: number[] = [];
    for (const day of days) remaining.push(await left(day * 24 * HOUR));
    expect(remaining).toEqual([3, 2, 2, 1, 1, 0]);
    expect(warned).toEqual([]);
  });
});
