import { expect, test } from "vitest";
import { errorLines } from "./error-lines.ts";

const path = [
  { id: "r", name: "all", kind: "swarm" as const, slot: 0 },
  { id: "r.7", name: "one", kind: "task" as const, slot: 7 },
];
const stack = "E2: deep\n    at node:internal/x:1:1\n    at work (file:///srv/flow.ts:3:9)";
const cause = {
  name: "E2",
  message: "deep",
  stack,
  cause: { name: "E3", message: "deeper\nforged", code: "X" },
};

test("an error shows the way to it and its causes, each on a line, and where they were thrown", () => {
  expect(errorLines({ name: "E1", message: "top", attempts: 3, path, cause })).toEqual([
    "failed after 3 attempts: E1: top",
    "  at all › one[7]",
    "  id r.7",
    "  caused by E2: deep",
    "    thrown at /srv/flow.ts:3:9",
    "  caused by E3 (X): deeper\\nforged",
  ]);
});

test("with stacks all frames are shown", () => {
  expect(errorLines({ name: "E1", message: "top", stack, attempts: 1, path: [] }, true)).toEqual([
    "failed: E1: top",
    "  at node:internal/x:1:1",
    "  at work (file:///srv/flow.ts:3:9)",
  ]);
});

test("what an AggregateError holds is told of, each with what caused it, before what caused the whole", () => {
  const errors = [
    { name: "E4", message: "one", cause: { name: "E5", message: "below one" } },
    { name: "AggregateError", message: "two", errors: [{ name: "E6", message: "in two" }] },
  ];
  const held = { name: "AggregateError", message: "all failed", attempts: 1, path: [], cause, errors };
  expect(errorLines(held)).toEqual([
    "failed: AggregateError: all failed",
    "  error 1 of 2: E4: one",
    "    caused by E5: below one",
    "  error 2 of 2: AggregateError: two",
    "    error 1 of 1: E6: in two",
    "  caused by E2: deep",
    "    thrown at /srv/flow.ts:3:9",
    "  caused by E3 (X): deeper\\nforged",
  ]);
});
