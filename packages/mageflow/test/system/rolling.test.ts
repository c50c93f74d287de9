import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { LAWS } from "../../../../scripts/rolling/laws.ts";

/** A slice; `npm run rolling` is the whole. */
test("worker processes that drain while the next one boots leave nothing behind", async () => {
  const script = new URL("../../../../scripts/rolling.ts", import.meta.url).pathname;
  const args = ["--conditions=@mageflow/source", script, "--restarts", "10", "--seed", "9", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const summary = JSON.parse(stdout) as Record<string, number>;
  expect(summary).toMatchObject({ restarts: 10, ...Object.fromEntries(LAWS.map((law) => [law, 0])) });
  expect(summary["handedBack"]).toBeGreaterThan(0);
});
