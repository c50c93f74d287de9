import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { hunt, requireFresh } from "../../../../scripts/mutants/hunt.ts";
import { crashAt, lose, LOSSES, simulate, WORKFLOWS } from "../../src/testing/simulator/index.ts";

/** A slice of `npm run sim`, which runs thousands of seeds and every crash point. */
const SEEDS = 60;
const POINTS_PER_WORKFLOW = 30;

describe("simulated faults", () => {
  test(`${SEEDS} seeds violate nothing`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { violations } = await simulate(seed);
      expect(violations, `repeat: npm run sim -- --seed ${seed}`).toEqual([]);
    }
  });

  test.each(WORKFLOWS.map((workflow, index) => ({ workflow, index, name: workflow.name })))(
    "crashes of $name lose nothing",
    async ({ workflow, index }) => {
      const { boundaries } = await crashAt(workflow, []);
      const stride = boundaries / POINTS_PER_WORKFLOW;
      for (let i = 0; i < POINTS_PER_WORKFLOW; i++) {
        const point = Math.floor(i * stride);
        const { violations } = await crashAt(workflow, [point]);
        expect(violations, `repeat: npm run sim -- --seed 1 --crash ${index}:${point}`).toEqual([]);
      }
    },
  );
});

describe("losses that no mark tells of", () => {
  test.each(LOSSES.map((loss, index) => ({ loss, index, name: loss.name })))(
    "$name is mended",
    async ({ loss, index }) => {
      for (const seed of [1, 2]) {
        const { violations } = await lose(loss, { seed });
        expect(violations, `repeat: npm run sim -- --seed ${seed} --loss ${index}`).toEqual([]);
      }
    },
  );
});

describe("the simulator's own audit", () => {
  test("every mutant still finds the text that it patches", () => {
    expect(requireFresh).not.toThrow();
  });

  test.each(["finish-without-epoch", "credit-forgotten", "cleanup-too-early"])(
    "kills the mutant %s",
    async (name) => {
      const { killedBy, runs } = await hunt(name);
      expect(killedBy).not.toBeNull();
      expect(runs).toBeLessThan(100);
    },
  );
});

describe("npm run sim", () => {
  const script = new URL("../../../../scripts/sim.ts", import.meta.url).pathname;

  test.each([
    "--seeds abc",
    "--seeds 0",
    "--first abc",
    "--seed 1.5",
    "--seed 1 --loss 99",
    "--seed 1 --crash 99:",
    "--seed 1 --crash 0:x",
    "--mutants --only nosuch",
  ])("refuses %s, which would test nothing", (options) => {
    const line = ["--conditions=@mageflow/source", script, ...options.split(" ")];
    const { status, stderr } = spawnSync(process.execPath, line, { encoding: "utf8" });
    expect(stderr).toMatch(/^(there is no mutant|.* is .*; give a whole number)/);
    expect(status).toBe(2);
  });
});
