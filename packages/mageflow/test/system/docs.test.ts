import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs, type TestServer } from "../../../../scripts/servers/find-server.ts";
import { freshPrefix, removeKeys } from "../engines/redis-keys.ts";
import { dropSchema, findServer as findPostgres } from "../stores/postgres-server.ts";
import { findRedis } from "../stores/redis-server.ts";

/**
 * Every TypeScript block of the documents is type-checked and run, and every program in a comment of the sources; every shell block names
 * commands that exist.
 */

interface Block {
  readonly title: string;
  readonly language: string;
  readonly code: string;
}

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../../..");
const documents = [
  join(root, "README.md"),
  ...(await readdir(join(root, "docs/guide"))).map((name) => join(root, "docs/guide", name)),
].filter((file) => file.endsWith(".md"));
const sources = (await readdir(join(root, "packages/mageflow/src"), { recursive: true }))
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join(root, "packages/mageflow/src", name));
const blocks = (await Promise.all(documents.map(blocksOf))).flat();
const commented = (await Promise.all(sources.map(blocksOf))).flat();
const [postgres, redis] = await Promise.all([findPostgres(), findRedis()]);
/** What programs that name servers call theirs there: nobody else has it. */
const flows = freshPrefix().replaceAll("-", "_");
const programs = [...blocks, ...commented.filter(({ code }) => code.includes('from "mageflow"'))]
  .filter(({ language }) => language === "ts")
  .map((block) => ({ ...block, servers: serversOf(block.code), code: onTestServers(block.code) }));
const commands = blocks
  .filter(({ language }) => language === "sh")
  .flatMap(({ title, code }) => code.split("\n").map((line) => ({ title, line: line.trim() })))
  .filter(({ line }) => line !== "" && !line.startsWith("#"));
/** Inside the package, so that `mageflow` and `zod` resolve as they do for a user; git ignores it. */
let folder: string;

async function blocksOf(file: string): Promise<Block[]> {
  // In a comment each line of a block stands behind a star.
  const text = (await readFile(file, "utf8")).replaceAll(/^ *\* ?/gm, file.endsWith(".ts") ? "" : "$&");
  const found: Block[] = [];
  for (const { index, 1: language = "", 2: code = "" } of text.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
    const line = text.slice(0, index).split("\n").length;
    found.push({ title: `${relative(root, file)}:${line}`, language, code });
  }
  return found;
}

function serversOf(code: string): TestServer[] {
  return [
    ...(code.includes('"postgres://') ? [postgres] : []),
    ...(code.includes('"redis://') ? [redis] : []),
  ];
}

function onTestServers(code: string): string {
  const own = serversOf(code).length === 0 ? code : code.replaceAll("flows", flows);
  return own
    .replaceAll("postgres://postgres@127.0.0.1:5432/postgres", postgres.url)
    .replaceAll("redis://127.0.0.1:6379", redis.url);
}

/** What its comments say it prints. */
function printed(code: string): string[] {
  return [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text = ""]) => text.trim());
}

beforeAll(async () => {
  await mkdir(join(root, "packages/mageflow/.mageflow"), { recursive: true });
  folder = await mkdtemp(join(root, "packages/mageflow/.mageflow/docs-"));
  for (const [n, { code }] of programs.entries()) {
    await mkdir(join(folder, String(n)));
    await writeFile(join(folder, String(n), "block.ts"), code);
  }
  const options = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: {
      noEmit: true,
      customConditions: ["@mageflow/source"],
      // For those who publish types; a reader of the documents does not.
      declaration: false,
      isolatedDeclarations: false,
    },
    include: ["*/block.ts"],
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(options));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  if (postgres.missing === null) await dropSchema(postgres, flows);
  if (redis.missing === null) await removeKeys(redis.url, flows);
});

test("there are blocks to check", () => {
  expect(programs.length).toBeGreaterThan(10);
  expect(programs.every(({ code }) => /import .* from "mageflow"/s.test(code))).toBe(true);
});

test("the programs of the documents type-check", async () => {
  const args = [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"];
  const { stdout } = await run(process.execPath, args, { cwd: folder }).catch(
    (failed: { stdout: string }) => failed,
  );
  // The sources that they import have a check of their own.
  const told = [...stdout.matchAll(/^(\d+)\/block\.ts\((\d+),\d+\): (.*)$/gm)].map(([, n, line, error]) => {
    return `${programs[Number(n)]!.title} + ${line}: ${error}`;
  });
  expect(told).toEqual([]);
});

describe("the programs of the documents run", () => {
  for (const [n, { title, code, servers }] of programs.entries()) {
    const what = printed(code).length === 0 ? "" : `prints ${printed(code).length} lines`;
    test(`${title} ${what}`, needs(...servers), async () => {
      const { MAGEFLOW_STORE: _, ...env } = process.env;
      const args = ["--conditions=@mageflow/source", "block.ts"];
      const cwd = join(folder, String(n));
      const { stdout } = await run(process.execPath, args, { cwd, env, timeout: 60_000 });
      for (const text of printed(code)) expect(stdout).toContain(text);
    });
  }
});

describe("the commands of the documents exist", () => {
  let scripts: Record<string, string>;
  let help: string;
  let cases: string;
  beforeAll(async () => {
    const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    scripts = manifest.scripts;
    const main = join(root, "packages/cli/src/main.ts");
    help = (await run(process.execPath, ["--conditions=@mageflow/source", main, "--help"])).stdout;
    cases = await readFile(join(root, "bench/cases.ts"), "utf8");
    cases += await readFile(join(root, "bench/main.ts"), "utf8");
  });
  /** What a command line names: a script, and for some scripts one of their commands. */
  function exists(line: string): boolean {
    const [, script = "", verb] = /^npm (?:run )?([\w:]+)(?: -- (\w+))?/.exec(line) ?? [];
    if (scripts[script] === undefined) return false;
    if (script === "mageflow" && verb !== undefined)
      return verb === "help" || new RegExp(`^ +${verb} `, "m").test(help);
    return script !== "bench" || verb === undefined || new RegExp(`\\b${verb}\\b`).test(cases);
  }
  for (const { title, line } of commands) test(`${title} ${line}`, () => expect(exists(line)).toBe(true));
  test("the commands of the table of measurements", async () => {
    const benches = [
      ...(await readFile(join(root, "README.md"), "utf8")).matchAll(/`(npm run bench -- [^`]*)`/g),
    ];
    expect(benches.length).toBeGreaterThan(4);
    expect(benches.filter(([, line = ""]) => !exists(line))).toEqual([]);
  });
});
