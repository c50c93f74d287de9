import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spread } from "./spread.ts";

describe("spread", () => {
  it("depends on the text alone and stays in [0, 1)", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const draw = spread(text);
        expect(draw).toBe(spread(text));
        expect(draw).toBeGreaterThanOrEqual(0);
        expect(draw).toBeLessThan(1);
      }),
    );
  });

  it("keeps its values over releases, so that a stored time stays explicable", () => {
    expect([spread(""), spread("01jd.2.17"), spread("01jd.2.17#1")]).toMatchInlineSnapshot(`
      [
        0.6689221884589642,
        0.9138743767980486,
        0.37122973054647446,
      ]
    `);
  });

  it.each([
    ["items of a swarm", (i: number) => `01jdxyz.${i}`],
    ["attempts", (i: number) => `01jdxyz#${i}`],
    ["callbacks of items", (i: number) => `01jdxyz.${i}.success0`],
    ["roots of one instant", (i: number) => `01jd${i.toString(36).padStart(6, "0")}`],
  ])("spreads %s evenly", (_what, id) => {
    const count = 20_000;
    const buckets = Array.from({ length: 20 }, () => 0);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const draw = spread(id(i));
      sum += draw;
      buckets[Math.floor(draw * buckets.length)]!++;
    }
    const expected = count / buckets.length;
    const chiSquare = buckets.reduce((total, found) => total + (found - expected) ** 2 / expected, 0);
    expect(sum / count).toBeGreaterThan(0.49);
    expect(sum / count).toBeLessThan(0.51);
    // 19 degrees of freedom: a fair source is beyond 60 once in 200,000 times.
    expect(chiSquare).toBeLessThan(60);
  });
});
