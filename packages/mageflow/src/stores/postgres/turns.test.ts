import { expect, test } from "vitest";
import { type Turn, Turns } from "./turns.ts";

const at = (slot: number, priority = 0): ReadonlyMap<string, Turn | null> =>
  new Map([["swarm", { priority, slot }]]);

test("the next children are looked for behind those that were started last", () => {
  const turns = new Turns(() => 0);
  expect(turns.after("swarm")).toBeNull();
  turns.add(at(4), 0);
  turns.add(at(9, 2), 0);
  expect(turns.after("swarm")).toMatchObject({ priority: 2, slot: 9 });
  expect(turns.after("another")).toBeNull();
});

test("every half second they are looked for from the first on, however many are started meanwhile", () => {
  let now = 0;
  const turns = new Turns(() => now);
  for (let slot = 0; slot < 5; slot++) {
    turns.add(at(slot), 0);
    expect(turns.after("swarm")).toMatchObject({ slot });
    now += 100;
  }
  expect(turns.after("swarm")).toBeNull();
  turns.add(at(5), 0);
  expect(turns.after("swarm")).toMatchObject({ slot: 5 });
});

test("where something has become startable it is looked for from the first on", () => {
  const turns = new Turns(() => 0);
  turns.add(at(5), 0);
  turns.add(new Map([["swarm", null]]), 0);
  expect(turns.after("swarm")).toBeNull();
  turns.add(at(6), 0);
  expect(turns.after("swarm")).toBeNull();
  turns.add(at(7), turns.reopened);
  expect(turns.after("swarm")).toMatchObject({ slot: 7 });
});

test("no more than a thousand containers are kept in mind, those that were started from last", () => {
  const turns = new Turns(() => 0);
  turns.add(new Map(Array.from({ length: 1_100 }, (_, slot) => [`c${slot}`, { priority: 0, slot }])), 0);
  expect(turns.after("c0")).toBeNull();
  expect(turns.after("c1099")).toMatchObject({ slot: 1_099 });
});
