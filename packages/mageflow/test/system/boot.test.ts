import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** A slice; `npm run boot` is the whole. */
test("processes that start together on a store full of unfinished work do and report each thing once", async () => {
  const script = new URL("../../../../scripts/boot.ts", import.meta.url).pathname;
  const args = ["--conditions=@mageflow/source", script, "--records", "2000", "--processes", "4"];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(JSON.parse(stdout)).toMatchObject({
    records: 2_000,
    wrong: [],
    resumed: 290,
    parked: 10,
    kept: 420,
  });
});
