import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { askYes } from "./ask-yes.ts";

test.each([
  ["yes\n", true],
  [" yes \r\n", true],
  ["y\n", false],
  ["YES\n", false],
  ["\n", false],
  ["", false],
])("%j is %s", async (typed, answer) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  input.end(typed);
  expect(await askYes("Really?", { input, output })).toBe(answer);
  expect(String(output.read())).toContain("Really? Type yes: ");
});
