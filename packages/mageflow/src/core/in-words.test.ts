import { expect, test } from "vitest";
import { inWords } from "./in-words.ts";

test.for<[unknown, string]>([
  [undefined, "undefined"],
  [null, "null"],
  [3, "3"],
  [Number.NaN, "NaN"],
  [3n, "3n"],
  [true, "true"],
  ["x", '"x"'],
  ["", '""'],
  ["\u0007", String.raw`"\u0007"`],
  ["y".repeat(90), `"${"y".repeat(80)}…"`],
  [[1], "an array"],
  [{}, "an object"],
  [() => 1, "a function"],
  [Symbol("s"), "a symbol"],
])("names what stands in the wrong place: %o", ([value, words]) => {
  expect(inWords(value)).toBe(words);
});
