import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fixture, Scene } from "./cli.ts";

const VERSION = (
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }
).version;

test("help and version", async () => {
  await using scene = new Scene();
  expect(await scene.run("--version")).toMatchObject({ code: 0, stdout: `${VERSION}\n`, stderr: "" });
  const help = await scene.run("--help");
  expect(help.code).toBe(0);
  for (const command of [
    "run",
    "worker",
    "ps",
    "show",
    "logs",
    "suspend",
    "interrupt",
    "resume",
    "rerun",
    "cancel",
    "delete",
    "restore",
    "extend",
    "purge",
    "gc",
    "audit",
    "resume-report",
    "verify",
    "demo",
    "help",
  ]) {
    expect(help.stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
    const own = await scene.run("help", command);
    expect(own.code).toBe(0);
    expect(own.stdout).toContain(`Usage: mageflow ${command}`);
    expect(own.stdout).toContain("--json");
  }
  const codes = await scene.run("help", "exit-codes");
  expect(codes.code).toBe(0);
  expect(codes.stdout).toMatch(
    /^3 +verification found breaches, or a\n +cache that differs from its store$/m,
  );
  expect(codes.stdout).toMatch(/^6 [^]*the cache cannot .*\n +be used/m);
  expect(Math.max(...codes.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  const whole = await scene.json<{ commands: { name: string }[] }>("help");
  expect(whole.value.commands.map(({ name }) => name)).toContain("resume-report");
  const { value: ps } = await scene.json<{ options: object[] }>("help", "ps");
  expect(ps).toMatchObject({ name: "ps", usage: "mageflow ps [options]", arguments: [], commands: [] });
  expect(ps.options).toContainEqual({
    flags: "-l, --limit <n>",
    description: "rows to show, at most 500",
    default: 20,
  });
  expect(ps.options).toContainEqual(expect.objectContaining({ flags: "--store <url>" }));
  const { value: show } = await scene.json("help", "show");
  expect(show).toMatchObject({ arguments: [{ name: "id", required: true }] });
  const nothing = await scene.run();
  expect(nothing).toMatchObject({ code: 2, stdout: "" });
  expect(nothing.stderr).toContain("Getting started:");
});

test.each([
  { args: ["pss"], code: 2, says: "unknown command 'pss'; did you mean ps?" },
  { args: ["ps", "--lmit", "3"], code: 2, says: "unknown option '--lmit'; did you mean --limit?" },
  { args: ["ps", "--limit", "none"], code: 2, says: "give a whole number from 1" },
  { args: ["ps", "--limit", "501"], code: 2, says: "give a whole number from 1 to 500" },
  { args: ["resume-report", "--limit", "101"], code: 2, says: "give a whole number from 1 to 100" },
  { args: ["show"], code: 2, says: "missing required argument 'id'" },
  { args: ["help", "exit-code"], code: 2, says: "did you mean exit-codes?" },
  { args: ["run", "none.ts"], code: 2, says: "there is no file" },
  { args: ["run", "syntax.ts"], code: 2, says: "syntax.ts:2: Unexpected token" },
  { args: ["run", "syntax.mjs"], code: 2, says: "syntax.mjs:2: Unexpected token" },
  { args: ["run", "enum.ts"], code: 2, says: "types are stripped, not compiled" },
  { args: ["run", "import.mjs"], code: 2, says: "Cannot find package 'not-installed'" },
  {
    args: ["run", "throws.mjs"],
    code: 2,
    says: "throws.mjs:1:7: RangeError while throws.mjs was loaded: odd",
  },
  { args: ["run", "imports-thrower.mjs"], code: 2, says: "mageflow: throws.mjs:1:7: RangeError while" },
  { args: ["run", "cjs/flow.ts"], code: 2, says: "cjs/flow.ts:1: Cannot use import statement outside" },
  { args: ["run", "cjs/flow.ts"], code: 2, says: 'set "type": "module" in the nearest package.json or name' },
  { args: ["run", "requires.mjs"], code: 2, says: "requires.mjs:1:1: require is not defined in ES module" },
  { args: ["run", fixture("twice")], code: 2, says: 'twice.ts:5:6: a task is already registered as "once"' },
  { args: ["run", "exits.mjs"], code: 2, says: "exits.mjs ended the process with exit code 0 while it was" },
  { args: ["worker", "exits.mjs"], code: 2, says: "take process.exit() out of what runs when the file is" },
  { args: ["run", "awaits.mjs"], code: 2, says: "awaits.mjs is never loaded: it awaits something" },
  { args: ["run", "throws-null.mjs"], code: 2, says: "threw null while it was loaded" },
  { args: ["run", "exports.mjs"], code: 2, says: "does not export a MageFlow as `mage`; it exports `other`" },
  { args: ["run", "promise.mjs"], code: 2, says: "promise.mjs exports is a Promise, not a MageFlow" },
  { args: ["run", "class.mjs"], code: 2, says: "class.mjs exports is a function, not a MageFlow" },
  { args: ["run", "bare.mjs"], code: 2, says: "bare.mjs exports is an Object, not a MageFlow" },
  { args: ["run", fixture("flows")], code: 2, says: "exports a MageFlow, but no plan to run" },
  { args: ["run", fixture("good"), "--message", "{x"], code: 2, says: "--message is not JSON" },
  {
    args: ["run", fixture("strange")],
    code: 2,
    says: 'has tasks that are not registered on the `mage` that it exports: "stranger"',
  },
  { args: ["worker", fixture("good"), "--tasks", "none"], code: 2, says: 'no task is registered as "none"' },
  {
    args: ["worker", fixture("good"), "--lease", "1x"],
    code: 2,
    says: "'1x' is invalid. write it as in 250ms, 5s, 2m, 1h or 7d",
  },
  {
    args: ["interrupt", "x", "--grace", "5"],
    code: 2,
    says: "'5' is invalid. write it as in 250ms, 5s, 2m, 1h or 7d",
  },
  { args: ["run", "plan.json"], code: 2, says: "give a .ts, .mts, .js or .mjs file" },
  { args: ["delete", "none"], code: 6, says: "there is no store at" },
  { args: ["delete", "none", "--store", "made.db", "--after", "1h"], code: 4, says: "there is no signature" },
  { args: ["delete", "x", "--at", "2027-01-31"], code: 2, says: "--at is no instant: 2027-01-31" },
  { args: ["cancel"], code: 2, says: "it is not said what to cancel" },
  { args: ["cancel", "x", "--tag", "t"], code: 2, says: "an id and filters are both given" },
  { args: ["cancel", "--tag", "t", "--token", "k"], code: 2, says: "--token is for one workflow" },
  { args: ["cancel", "none", "--token", "k", "--store", "made.db"], code: 4, says: "there is no signature" },
  { args: ["rerun", "x", "--message", "{x"], code: 2, says: "--message is not JSON" },
  {
    args: ["ps", "-s", "MARKED_FOR_DELETION"],
    code: 2,
    says: "`npx mageflow ps --marked` lists what has it",
  },
  { args: ["ps"], code: 6, says: "there is no store at" },
  { args: ["ps", "--store", " "], code: 2, says: '" " names no store' },
  { args: ["run", fixture("good"), "--store", "file:x.db?mode=memory"], code: 2, says: "without parameters" },
  ...["postgers://host/db", "pg://host/db", "mysql2://host/db", "http://host/db", "SQLITE:x.db"].map(
    (url) => ({
      args: ["ps", "--store", url],
      code: 2,
      says: `there is no store for "${url.split(":")[0]}:"; use "sqlite:path", "postgres://host/database"`,
    }),
  ),
  { args: ["ps", "--store", "file://host/x"], code: 2, says: 'give a path, as in "file:data/flows.db"' },
  { args: ["ps", "--store", "memory:"], code: 2, says: "lives in the process that made it" },
  { args: ["ps", "--store", "junk.db"], code: 6, says: "is not a sound SQLite database" },
  { args: ["ps", "--store", "made.db", "--status", "BUSY"], code: 2, says: 'there is no status "BUSY"' },
  { args: ["ps", "--store", "made.db", "--cursor", "x"], code: 2, says: '"x" is not a cursor' },
  {
    args: ["worker", fixture("good"), "--lease", "9s", "--heartbeat", "5s"],
    code: 2,
    says: "more than half of lease",
  },
  { args: ["ps", "--in", "none", "--store", "made.db"], code: 4, says: 'there is no signature "none"' },
  {
    args: ["show", "none", "--store", "made.db"],
    code: 4,
    says: 'there is no signature "none" in this store',
  },
  {
    args: ["logs", "none", "--store", "made.db"],
    code: 4,
    says: "`npx mageflow ps --all --store made.db` lists what is stored",
  },
])("$args ends with $code: $says", async ({ args, code, says }) => {
  await using scene = new Scene();
  writeFileSync(scene.path("syntax.ts"), "const a = 1;\nconst = 3;\n");
  writeFileSync(scene.path("syntax.mjs"), "const a = 1;\nconst = 3;\n");
  writeFileSync(scene.path("enum.ts"), "enum A { x }\nexport const mage = A.x;\n");
  writeFileSync(scene.path("import.mjs"), 'import "not-installed";\n');
  writeFileSync(scene.path("throws.mjs"), 'throw new RangeError("odd");\n');
  writeFileSync(scene.path("imports-thrower.mjs"), 'import "./throws.mjs";\n');
  writeFileSync(scene.path("plan.json"), "{}\n");
  writeFileSync(scene.path("requires.mjs"), 'require("mageflow");\n');
  mkdirSync(scene.path("cjs"));
  writeFileSync(scene.path("cjs/package.json"), '{ "type": "commonjs" }\n');
  writeFileSync(scene.path("cjs/flow.ts"), 'import { MageFlow } from "mageflow";\n');
  writeFileSync(scene.path("throws-null.mjs"), "throw null;\n");
  writeFileSync(scene.path("exits.mjs"), "process.exit(0);\n");
  writeFileSync(scene.path("awaits.mjs"), "await new Promise(() => {});\n");
  writeFileSync(scene.path("exports.mjs"), "export const other = 1;\n");
  writeFileSync(scene.path("promise.mjs"), "export const mage = Promise.resolve(1);\n");
  writeFileSync(scene.path("class.mjs"), "export class mage {}\n");
  writeFileSync(scene.path("bare.mjs"), "export const mage = { __proto__: null };\n");
  writeFileSync(scene.path("junk.db"), "not a database ".repeat(100));
  writeFileSync(scene.path("made.db"), "");
  const told = await scene.run(...args);
  expect(told).toMatchObject({ code, stdout: "" });
  expect(told.stderr).toMatch(/^mageflow: /m);
  expect(told.stderr).toContain(says);
  expect(told.stderr).not.toMatch(/^ {4}at /m);

  const asJson = await scene.run(...args, "--json");
  expect(asJson).toMatchObject({ code, stdout: "" });
  const { error } = JSON.parse(asJson.stderr.split("\n").findLast((line) => line.startsWith("{"))!) as {
    error: Record<string, unknown>;
  };
  expect(Object.keys(error)).toEqual(["code", "message", "hint"]);
  expect(error["code"]).toMatch(/^[A-Z_]+$/);
});

test("--verbose shows the stack", async () => {
  await using scene = new Scene();
  writeFileSync(scene.path("throws.mjs"), 'throw new RangeError("odd");\n');
  const { stderr } = await scene.run("run", "throws.mjs", "--verbose");
  expect(stderr).toMatch(/^caused by RangeError: odd$/m);
  expect(stderr).toMatch(/^ {4}at .*throws\.mjs:1/m);
});

test("--help and --version print objects for programs", async () => {
  await using scene = new Scene();
  const { code, value } = await scene.json<{ name: string; commands: object[] }>("--help");
  expect({ code, name: value.name }).toEqual({ code: 0, name: "mageflow" });
  expect(value.commands.length).toBeGreaterThan(10);
  expect(await scene.json("ps", "-h")).toEqual(await scene.json("help", "ps"));
  expect((await scene.json("--version")).value).toEqual({ version: expect.stringMatching(/^\d+\.\d+/) });
});

test("what an AggregateError holds is told of, be it the cause of another", async () => {
  await using scene = new Scene();
  const told = await scene.run("run", fixture("several"));
  expect(told.code).toBe(2);
  expect(told.stderr).toMatch(
    /\n +error 1 of 2: Error: the first has failed\n +error 2 of 2: RangeError: and so has the second\n/,
  );
  const json = await scene.run("run", fixture("several"), "--json");
  expect(JSON.parse(json.stderr)).toMatchObject({
    error: {
      code: "FILE_INVALID",
      errors: ["Error: the first has failed", "RangeError: and so has the second"],
    },
  });
  const verbose = await scene.run("run", fixture("several"), "--verbose");
  expect(verbose.stderr).toMatch(/\nerror 2 of 2: RangeError: and so has the second\n +at /);
});
