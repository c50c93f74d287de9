import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { fixture, Scene } from "./cli.ts";

const CHECKOUT = fileURLToPath(new URL("../../../..", import.meta.url));

/** What npm tells a script of the checkout that was typed in `directory`. */
function byNpm(directory: string, ...args: string[]) {
  const { MAGEFLOW_STORE: _, ...env } = process.env;
  const command = `${CHECKOUT}packages/cli/bin/mageflow.js`;
  return promisify(execFile)(process.execPath, ["--conditions=@mageflow/source", command, ...args], {
    cwd: CHECKOUT,
    env: {
      ...env,
      npm_lifecycle_event: "mageflow",
      npm_package_json: `${CHECKOUT}package.json`,
      INIT_CWD: directory,
    },
  });
}

test("a script of the checkout means paths and the default store from where it was typed", async () => {
  await using scene = new Scene();
  const file = relative(scene.directory, fixture("bundle"));
  const { stdout } = await byNpm(scene.directory, "run", file, "--json");
  expect(JSON.parse(stdout)).toMatchObject({ status: "SUCCEEDED", result: 42 });
  expect(existsSync(scene.path(".mageflow/mageflow.db"))).toBe(true);
});
