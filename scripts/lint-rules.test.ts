import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

/** Code that the linter must refuse: file under packages/, the rule, the line. */
const refused: [file: string, rule: string, code: string][] = [
  ["mageflow/src/core/plant.ts", "no-restricted-imports", `import "../ports/store.ts";`],
  ["mageflow/src/core/plant.ts", "no-restricted-imports", `import type {} from "../ports/store.ts";`],
  ["mageflow/src/core/plant.ts", "no-restricted-imports", `import "../mageflow.ts";`],
  ["mageflow/src/core/plant.ts", "no-restricted-imports", `import "node:fs";`],
  ["mageflow/src/core/plant.ts", "no-restricted-imports", `import "zod";`],
  ["mageflow/src/core/plant.ts", "no-restricted-imports", `import "@vitest/coverage-v8";`],
  ["mageflow/src/core/deep/plant.ts", "no-restricted-imports", `import "../../runtime/worker.ts";`],
  ["mageflow/src/core/plant.test.ts", "no-restricted-imports", `import "../stores/memory/store.ts";`],
  ["mageflow/src/ports/plant.ts", "no-restricted-imports", `import "../runtime/worker.ts";`],
  ["mageflow/src/ports/plant.ts", "no-restricted-imports", `import "node:fs";`],
  ["mageflow/src/runtime/plant.ts", "no-restricted-imports", `import "../stores/memory/store.ts";`],
  ["mageflow/src/runtime/plant.ts", "no-restricted-imports", `import "../testing/clock.ts";`],
  ["mageflow/src/runtime/plant.ts", "no-restricted-imports", `import "zod";`],
  ["mageflow/src/runtime/plant.ts", "no-restricted-imports", `import "nanoid";`],
  ["mageflow/src/runtime/plant.ts", "no-restricted-imports", `import "node:timers/promises";`],
  ["mageflow/src/runtime/plant.ts", "no-restricted-imports", `import { randomUUID } from "node:crypto";`],
  ["mageflow/src/stores/sqlite/plant.ts", "no-restricted-imports", `import "../memory/store.ts";`],
  ["mageflow/src/stores/sqlite/plant.ts", "no-restricted-imports", `import "../../runtime/worker.ts";`],
  [
    "mageflow/src/stores/sqlite/plant.ts",
    "no-restricted-imports",
    `import "../../engines/embedded/engine.ts";`,
  ],
  ["mageflow/src/caches/redis/plant.ts", "no-restricted-imports", `import "../../stores/memory/store.ts";`],
  ["mageflow/src/engines/bullmq/plant.ts", "no-restricted-imports", `import "../embedded/engine.ts";`],
  ["mageflow/src/engines/bullmq/plant.ts", "no-restricted-imports", `import "../../stores/memory/store.ts";`],
  ["mageflow/src/testing/plant.ts", "no-restricted-imports", `import "../stores/sqlite/store.ts";`],
  ["mageflow/src/testing/plant.ts", "no-restricted-imports", `import "../engines/embedded/engine.ts";`],
  ["cli/src/plant.ts", "no-restricted-imports", `import "mageflow/testing";`],
  ["cli/src/plant.ts", "no-restricted-imports", `import "../../mageflow/src/mageflow.ts";`],
  ...["core", "runtime"].flatMap((folder): [string, string, string][] => [
    [`mageflow/src/${folder}/plant.ts`, "no-restricted-globals", `export const x = Date.now();`],
    [`mageflow/src/${folder}/plant.ts`, "no-restricted-globals", `export const x = new Date();`],
    [`mageflow/src/${folder}/plant.ts`, "no-restricted-globals", `export const x = performance.now();`],
    [`mageflow/src/${folder}/plant.ts`, "no-restricted-globals", `setTimeout(() => {}, 1);`],
    [`mageflow/src/${folder}/plant.ts`, "no-restricted-globals", `setInterval(() => {}, 1);`],
    [`mageflow/src/${folder}/plant.ts`, "no-restricted-globals", `setImmediate(() => {});`],
    [`mageflow/src/${folder}/plant.ts`, "no-restricted-properties", `export const x = Math.random();`],
    [`mageflow/src/${folder}/plant.ts`, "no-restricted-properties", `export const x = crypto.randomUUID();`],
    [`mageflow/src/${folder}/plant.ts`, "no-restricted-properties", `export const x = process.env["HOME"];`],
  ]),
  ["mageflow/src/runtime/plant.ts", "no-floating-promises", `Promise.resolve(1);`],
  ["mageflow/src/runtime/plant.ts", "no-misused-promises", `[1].forEach(async () => {});`],
  ["mageflow/src/runtime/plant.ts", "await-thenable", `await 1; export {};`],
  ["mageflow/src/runtime/plant.ts", "no-console", `console.log(1);`],
  ["mageflow/src/runtime/plant.ts", "no-explicit-any", `export let x: any;`],
  ["mageflow/src/runtime/plant.ts", "no-default-export", `export default 1;`],
  ["mageflow/src/runtime/plant.ts", "only-throw-error", `throw "no";`],
  [
    "mageflow/src/runtime/plant.ts",
    "consistent-type-imports",
    `import { Clock } from "../ports/clock.ts"; export let c: Clock;`,
  ],
  [
    "mageflow/src/runtime/plant.ts",
    "return-await",
    `export async function f() { try { return Promise.resolve(1); } catch { return 0; } }`,
  ],
  [
    "mageflow/src/runtime/plant.ts",
    "switch-exhaustiveness-check",
    `export function f(x: "a" | "b") { switch (x) { case "a": return 1; } return 0; }`,
  ],
];

/** Code that the linter must let through. */
const allowed: [file: string, code: string][] = [
  ["mageflow/src/core/deep/plant.ts", `import "../plan.ts";`],
  ["mageflow/src/core/plant.ts", `import type {} from "@standard-schema/spec";`],
  ["mageflow/src/core/plant.test.ts", `import "vitest"; export const x = Date.now();`],
  ["mageflow/src/ports/plant.ts", `import "../core/plan.ts";`],
  ["mageflow/src/runtime/plant.ts", `import "../ports/clock.ts"; import "../core/plan.ts";`],
  ["mageflow/src/runtime/plant.ts", `import "temporal-polyfill";`],
  [
    "mageflow/src/runtime/plant.ts",
    `import { AsyncLocalStorage } from "node:async_hooks"; export const x = new AsyncLocalStorage();`,
  ],
  [
    "mageflow/src/stores/sqlite/plant.ts",
    `import "node:sqlite"; import "../../ports/store.ts"; import "./rows.ts";`,
  ],
  ["mageflow/src/testing/plant.ts", `import "../runtime/worker.ts"; import "../stores/memory/store.ts";`],
  ["mageflow/src/plant.ts", `import "./stores/sqlite/store.ts"; export const x = Date.now();`],
  [
    "mageflow/src/runtime/plant.ts",
    `export function f(x: unknown) { switch (typeof x) { case "string": return 1; default: return 0; } }`,
  ],
  ["cli/src/plant.ts", `import "mageflow"; import "commander";`],
];

/** Every plant is a file of its own, told apart by its number. */
const plants = [
  ...refused.map(([file, rule, code]) => ({ file, rule, code })),
  ...allowed.map(([file, code]) => ({ file, rule: undefined, code })),
].map((plant, index) => ({ ...plant, path: `packages/${plant.file.replace("plant", `plant-${index}`)}` }));

const repository = resolve(import.meta.dirname, "..");
let folder: string;
let reports: { filename: string; code: string }[];

/** One run of the linter over all plants, in a folder laid out like the repository and with its configuration. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lint-rules-"));
  for (const { path, code } of plants) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), `${code}\n`);
  }
  for (const name of [".oxlintrc.json", "package.json", "tsconfig.json", "tsconfig.base.json"])
    cpSync(join(repository, name), join(folder, name));
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  const oxlint = join(repository, "node_modules", ".bin", "oxlint");
  const run = spawnSync(oxlint, ["--type-aware", "--format=json", "packages"], {
    cwd: folder,
    encoding: "utf8",
  });
  reports = JSON.parse(run.stdout).diagnostics;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function rulesReported(path: string): string[] {
  return reports
    .filter(({ filename }) => filename === path)
    .map(({ code }) => code.replace(/^.*\((.*)\)$/, "$1"));
}

test.each(plants.filter(({ rule }) => rule))("$file: $rule refuses $code", ({ path, rule }) => {
  expect(rulesReported(path)).toContain(rule);
});

test.each(plants.filter(({ rule }) => !rule))("$file: allows $code", ({ path }) => {
  expect(rulesReported(path)).toEqual([]);
});
