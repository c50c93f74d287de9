import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { LAWS } from "../../../../scripts/power-loss/survivor.ts";
import { canTrace } from "../../../../scripts/power-loss/workload.ts";

const NOTHING = Object.fromEntries(LAWS.map((law) => [law, 0]));

/** Slices; `npm run power-loss` is the whole. It needs strace. */
const traced = canTrace();

test.skipIf(!traced)(
  "what was acknowledged is there after a loss of power and a kill at a sync, and goes on",
  async () => {
    const summary = await powerLoss("--seed", "9");
    expect(summary).toMatchObject(NOTHING);
    expect(summary["states"]).toBeGreaterThan(20);
    expect(summary["kills"]).toBeGreaterThan(0);
  },
);

test.skipIf(!traced)("a disk that syncs nothing is found to lose what was acknowledged", async () => {
  const { lost } = await powerLoss("--seed", "9", "--deaf");
  expect(lost).toBeGreaterThan(0);
});

async function powerLoss(...args: string[]): Promise<Record<string, number>> {
  const script = new URL("../../../../scripts/power-loss.ts", import.meta.url).pathname;
  const line = ["--conditions=@mageflow/source", script, "--every", "70", "--json", ...args];
  const { stdout } = await promisify(execFile)(process.execPath, line, { maxBuffer: 1 << 26 }).catch(
    (error: { code: number; stdout: string }) => {
      // Something was found.
      if (error.code === 1) return error;
      throw error;
    },
  );
  return JSON.parse(stdout) as Record<string, number>;
}
