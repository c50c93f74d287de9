import { expect, test } from "vitest";
import type { Demand } from "../core/choose.ts";
import { sampleTask } from "../testing/store-suite/sample-record.ts";
import { type Claimer, Claimers } from "./claimers.ts";

/** One that always wants what it has room for. */
function claimer(slots: number, tasks: Record<string, number>): Claimer & { heeded: number } {
  const room = (): Demand => ({ workerId: "w", slots, tasks: new Map(Object.entries(tasks)) });
  const it = {
    heeded: 0,
    demand: room,
    room,
    heed: () => void it.heeded++,
    hungry: true,
    offers: null,
    idle: false,
    ring: () => {},
    lose: () => {},
    receive: () => {},
  };
  return it;
}

function tasks(name: string, count: number): ReturnType<typeof sampleTask>[] {
  return Array.from({ length: count }, (_, n) => sampleTask(`t.${n}`, { name }));
}

const [first, second] = [{}, {}];

test("what one lane has taken is not left for another until it is given back", () => {
  const claimers = new Claimers();
  const worker = claimer(10, { a: 10, b: 2 });
  claimers.add(worker);
  const demand = claimers.take(worker, first, false)!;
  expect(demand.slots).toBe(10);
  expect(claimers.takeRoom(worker, second)).toBeNull();
  expect(claimers.want(second)).toBe(false);
  claimers.giveBack(first);
  expect(claimers.takeRoom(worker, second)?.slots).toBe(10);
});

test("once it is known what was claimed, the rest is left for others, name by name", () => {
  const claimers = new Claimers();
  const worker = claimer(10, { a: 10, b: 2 });
  claimers.add(worker);
  const demand = claimers.take(worker, first, false)!;
  claimers.keep(worker, first, [...tasks("a", 3), ...tasks("b", 2)], demand);
  expect(claimers.takeRoom(worker, second)).toEqual({
    workerId: "w",
    slots: 5,
    tasks: new Map([["a", 7]]),
  });
});

test("a lane is not kept from what it has taken itself", () => {
  const claimers = new Claimers();
  const worker = claimer(1, { a: 1 });
  claimers.add(worker);
  claimers.take(worker, first, false);
  expect(claimers.take(worker, first, false)?.slots).toBe(1);
});

test("whoever finds no place left has not looked: what rang is still to be answered", () => {
  const claimers = new Claimers();
  const worker = claimer(1, { a: 1 });
  claimers.add(worker);
  claimers.takeRoom(worker, second);
  expect(claimers.take(worker, first, false)).toBeNull();
  expect(worker.heeded).toBe(0);
  claimers.giveBack(second);
  claimers.take(worker, first, false);
  expect(worker.heeded).toBe(1);
});
