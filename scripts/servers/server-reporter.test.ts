import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs the cases that need PostgreSQL, alone, with this value of its variable. */
function runCases(named: string): { code: number | null; said: string } {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["node_modules/vitest/vitest.mjs", "run", "packages/mageflow/test/system/postgres.test.ts", "--no-color"],
    { cwd: ROOT, env: { ...env, MAGEFLOW_TEST_POSTGRES: named }, encoding: "utf8" },
  );
  return { code: status, said: stdout + stderr };
}

test("a run without a server passes, and says last how many cases it has skipped", () => {
  const { code, said } = runCases("");
  expect(code).toBe(0);
  const [, skipped] = /Tests +(\d+) skipped/.exec(said)!;
  expect(said.trim().split("\n").at(-1)).toBe(
    ` NOT TESTED on PostgreSQL: ${skipped} cases skipped, for MAGEFLOW_TEST_POSTGRES is empty`,
  );
});

test("a run with a server that is named and does not answer fails, and says why", () => {
  const { code, said } = runCases("postgres://postgres@127.0.0.1:1/postgres");
  expect(code).toBe(1);
  expect(said).toContain(
    "MAGEFLOW_TEST_POSTGRES names no server that could be used: nothing listens on 127.0.0.1:1",
  );
});
