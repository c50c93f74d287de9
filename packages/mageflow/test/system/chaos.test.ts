import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { VIOLATIONS } from "../../../../scripts/chaos/violation.ts";

const NOTHING = Object.fromEntries(VIOLATIONS.map((kind) => [kind, 0]));

/** A slice; `npm run chaos` is the whole. The seed is fixed, so that the same orders are given in each run. */
test("four rounds of chaos find nothing", async () => {
  const { summary, code } = await chaos("--rounds", "4", "--seed", "41");
  expect(summary).toMatchObject({ rounds: 4, ...NOTHING, failedSeeds: [] });
  expect(code).toBe(0);
  expect(summary["ordersDone"]).toBeGreaterThan(0);
});

test("chaos finds a planted bug of the lifecycle", async () => {
  const { summary, code } = await chaos(
    "--rounds",
    "3",
    "--seed",
    "500",
    "--mutant",
    "success-callback-on-interrupt",
  );
  expect(code).toBe(1);
  expect(summary["duplicateCallbacks"]).toBeGreaterThan(0);
});

async function chaos(...args: string[]): Promise<{ summary: Record<string, unknown>; code: number }> {
  const script = new URL("../../../../scripts/chaos.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, ["--conditions=@mageflow/source", script, ...args, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  const summary = JSON.parse(said.trim().split("\n").at(-1)!) as Record<string, unknown>;
  return { summary, code: code as number };
}
