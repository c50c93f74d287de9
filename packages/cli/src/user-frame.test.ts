import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { userFrame } from "./user-frame.ts";

const library = new URL("runtime/attempt.ts", import.meta.resolve("mageflow")).href;
const own = pathToFileURL(join(process.cwd(), "flow one.ts")).href;

test.each([
  ["a function", `E: x\n    at work (file:///srv/flow.ts:3:9)`, "/srv/flow.ts:3:9"],
  ["no function", "E: x\n    at file:///srv/flow.ts:3:9", "/srv/flow.ts:3:9"],
  ["an asynchronous one", "E: x\n    at async Object.<anonymous> (/srv/flow.js:3:9)", "/srv/flow.js:3:9"],
  ["one below the working directory", `E: x\n    at work (${own}:3:9)`, "flow one.ts:3:9"],
  [
    "the first one that is the user's",
    `E: x\n    at parse (node:internal/x:1:1)\n    at a (file:///srv/node_modules/z/z.js:1:1)\n    at b (${library}:1:1)\n    at c (/srv/f.ts:2:2)`,
    "/srv/f.ts:2:2",
  ],
  ["none", `E: x\n    at b (${library}:1:1)\n    at <anonymous>`, null],
  ["no stack", undefined, null],
])("of %s", (_, stack, frame) => {
  expect(userFrame(stack)).toBe(frame);
});
