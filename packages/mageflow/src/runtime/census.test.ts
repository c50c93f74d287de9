import { expect, test } from "vitest";
import type { ResumeReport } from "../core/resume-report.ts";
import { systemClock } from "../engines/embedded/system-clock.ts";
import type { Store } from "../ports/store.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";
import { LONG_AGO, sampleTask } from "../testing/store-suite/sample-record.ts";
import { Census } from "./census.ts";
import { Committer } from "./committer.ts";
import type { Handler } from "./handler.ts";
import { SpecCache } from "./spec-cache.ts";

/** A store with so many tasks that nobody has started, one a millisecond. */
async function storeWith(count: number): Promise<Store> {
  const store = memoryStore();
  await store.open();
  const insert = Array.from({ length: count }, (_, n) => sampleTask(`r${n}`, { createdAt: LONG_AGO + n }));
  await store.transact((tx) => tx.write({ insert }));
  return store;
}

/** That of a process which started at this instant. */
function census(store: Store, session: string, start: number): Census {
  const committer = new Committer(store, systemClock, new SpecCache(), session);
  const handlers = new Map([["t", {} as Handler]]);
  let reports = 0;
  const census = new Census({ store, committer, session, handlers, newId: () => `${session}${reports++}` });
  census.begin(start);
  return census;
}

const reportsOf = (store: Store): Promise<ResumeReport[]> => store.reports({ after: null, limit: 100 });

test("of two that look at the same time one tells, and the other what was stored since", async () => {
  const store = await storeWith(9);
  const [early, late] = [census(store, "early", LONG_AGO + 5), census(store, "late", LONG_AGO + 8)];
  await Promise.all([early.round(), late.round()]);
  expect(await reportsOf(store)).toHaveLength(1);
  await Promise.all([early.round(), late.round()]);
  const told = (await reportsOf(store)).flatMap(({ entries }) => entries.map(({ id }) => id));
  // The last one was stored in the millisecond of the later start.
  expect(told.toSorted()).toEqual(["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"]);
});

test("a large one goes on from round to round, and says so", async () => {
  const store = await storeWith(5_600);
  const one = census(store, "one", LONG_AGO + 9_999);
  await one.round();
  const [begun] = await reportsOf(store);
  expect(begun).toMatchObject({ more: true });
  expect(begun!.seen).toBeLessThan(5_600);
  await one.round();
  expect(await reportsOf(store)).toMatchObject([{ id: begun!.id, seen: 5_600, kept: 5_600, more: false }]);
  await one.round();
  await census(store, "two", LONG_AGO + 9_999).round();
  expect(await reportsOf(store)).toHaveLength(1);
});

test("begins anew when the store refuses, or leaves what it has told", async () => {
  const store = await storeWith(5_600);
  const list = store.list.bind(store);
  const refuse = (): void => {
    store.list = () => {
      store.list = list;
      return Promise.reject(new Error("not now"));
    };
  };
  const one = census(store, "one", LONG_AGO + 9_999);
  refuse();
  await expect(one.round()).rejects.toThrow("not now");
  await one.round();
  const begun = await reportsOf(store);
  expect(begun).toMatchObject([{ more: true }]);
  refuse();
  await expect(one.round()).rejects.toThrow("not now");
  await one.round();
  expect(await reportsOf(store)).toEqual(begun);
});
