import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bullmq } from "../../src/engines/bullmq/index.ts";
import { embeddedEngine } from "../../src/engines/embedded/embedded-engine.ts";
import type { EngineCapabilities } from "../../src/ports/engine.ts";

const yes = (has: boolean): string => (has ? "yes" : "no");

const ROWS: Readonly<Record<string, (has: EngineCapabilities) => string>> = {
  "workers learn of ready tasks from": ({ source }) => (source === "store" ? "the store" : "what it brings"),
  "more urgent tasks come first, among": ({ priorities }) => priorities,
  "limits over all workers, set in the engine": ({ globalLimits }) => yes(globalLimits),
  "tasks of a name can be held up by its own means": ({ pauses }) => yes(pauses),
  "holds what is delayed": ({ delays }) => yes(delays),
  "takes back what is suspended or stopped before it starts": ({ revokes }) => yes(revokes),
  "brings what a dead worker had to another": ({ redelivers }) => yes(redelivers),
  "a restart of all processes loses none of it": ({ keeps }) => yes(keeps),
  needs: ({ server }) => server ?? "nothing",
};

function table(engines: readonly [name: string, EngineCapabilities][]): string[][] {
  const rows = Object.entries(ROWS).map(([what, say]) => [what, ...engines.map(([, has]) => say(has))]);
  return [["engine", ...engines.map(([name]) => name)], ...rows];
}

/** The cells of the Markdown table whose head begins so. */
function readTable(text: string, head: string): string[][] {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => new RegExp(`^\\| ${head} +\\|`).test(line));
  const length = lines.slice(from).findIndex((line) => !line.startsWith("|"));
  return lines
    .slice(from, from + length)
    .filter((_, n) => n !== 1)
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

test("the README prints what the engines declare", async () => {
  const readme = await readFile(join(import.meta.dirname, "../../../../README.md"), "utf8");
  const engines: [string, EngineCapabilities][] = [
    ["embedded", embeddedEngine.capabilities],
    ["BullMQ", bullmq("redis://localhost").capabilities],
  ];
  expect(readTable(readme, "engine")).toEqual(table(engines));
});

test.for([
  ["no URL of a Redis", () => bullmq("http://localhost"), /no URL of a Redis/],
  ["a database that is no number", () => bullmq("redis://localhost/abc"), /something else than a number/],
  ["one in a parameter", () => bullmq("redis://localhost?db=abc"), /something else than a number/],
  ["no text at all", () => bullmq(7 as never), /give a URL like/],
  [
    "an option that there is not",
    () => bullmq("redis://localhost", { name: "x" } as never),
    /no option "name"/,
  ],
  ["a queue with a colon", () => bullmq("redis://localhost", { queue: "a:b" }), /colons/],
] as const)("bullmq refuses %s", ([, call, message]) => {
  expect(call).toThrow(message);
  expect(call).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});

test("what is wrong with a URL is not shown, as it may hold a password", () => {
  for (const url of ["http://:secret@localhost", "redis://localhost/secret"])
    expect(() => bullmq(url)).not.toThrow(/secret/);
});
