import { type AnyPlan, chain, MageFlow, swarm } from "mageflow";
import { expect, test } from "vitest";
import { requireRegistered } from "./registered.ts";

const one = new MageFlow({ store: "memory:" });
const other = new MageFlow({ store: "memory:" });
const mine = one.task("mine", () => 1);
const theirs = other.task("theirs", () => 1);

test.each<[string, AnyPlan]>([
  ["itself", theirs],
  ["as a step", chain([mine, chain([theirs])])],
  ["as an item", swarm([mine, theirs])],
  ["as a callback", chain([mine]).onSuccess(theirs)],
  ["as a callback of a callback", mine.onError(mine.onCleanup(theirs))],
  ["as a callback of items", swarm([mine], { onItemSuccess: theirs })],
])("a task of another instance is refused: %s", (_, plan) => {
  expect(() => requireRegistered(one, plan, "flow.ts", {})).toThrow(
    'the plan of flow.ts has tasks that are not registered on the `mage` that it exports: "theirs"',
  );
});

test("items that a function yields are not read", () => {
  const items = (function* (): Generator<AnyPlan> {
    yield theirs;
  })();
  expect(() =>
    requireRegistered(
      one,
      swarm(() => items),
      "flow.ts",
      {},
    ),
  ).not.toThrow();
  expect([...items]).toHaveLength(1);
});
