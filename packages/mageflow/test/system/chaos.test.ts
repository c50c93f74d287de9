import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** A slice; `npm run chaos` is the whole. The seed is fixed, so that the same blows fall in each run. */
test("three rounds of chaos find nothing", async () => {
  const script = new URL("../../../../scripts/chaos.ts", import.meta.url).pathname;
  const args = ["--conditions=@mageflow/source", script, "--rounds", "3", "--seed", "41", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout.trim().split("\n").at(-1)!)).toMatchObject({
    rounds: 3,
    lost: 0,
    duplicateCallbacks: 0,
    stuck: 0,
    failedSeeds: [],
  });
});
