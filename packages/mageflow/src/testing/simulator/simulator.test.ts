import { describe, expect, test } from "vitest";
import { crashAt, simulate, WORKFLOWS } from "./index.ts";

describe("the simulator", () => {
  test("repeats a seed exactly", async () => {
    for (const seed of [3, 4, 5]) {
      const [first, second] = [await simulate(seed), await simulate(seed)];
      expect(second.hash).toBe(first.hash);
      expect(second.commits).toBe(first.commits);
    }
  });

  test("tells seeds apart", async () => {
    expect((await simulate(1)).hash).not.toBe((await simulate(2)).hash);
  });

  test("keeps the lines of its trace for whoever wants to read them", async () => {
    expect((await simulate(1)).trace).toEqual([]);
    const { trace } = await simulate(1, { trace: true });
    expect(trace).toContain("heal");
  });

  test("crashes a process at the boundary that it is told", async () => {
    const calm = await crashAt(WORKFLOWS[1]!, []);
    expect(calm).toMatchObject({ violations: [], crashes: 0 });
    expect(calm.boundaries).toBeGreaterThan(50);
    expect(await crashAt(WORKFLOWS[1]!, [20])).toMatchObject({ violations: [], crashes: 1 });
  });
});
