import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextTurn, type Pace } from "./pace.ts";

/** The turns of so many that come at once. */
function turns(pace: Pace, count: number, draw: (n: number) => number = () => 0, now = 1_000): number[] {
  let free = 0;
  return Array.from({ length: count }, (_, n) => {
    const turn = nextTurn(pace, free, now, draw(n));
    free = turn.free;
    return turn.at;
  });
}

describe("nextTurn", () => {
  it("is at once for the first, and one turn later for each that follows", () => {
    expect(turns({ perSecond: 4, jitter: "none" }, 4)).toEqual([1_000, 1_250, 1_500, 1_750]);
    expect(turns({ perSecond: 0.5, jitter: "none" }, 2)).toEqual([1_000, 3_000]);
  });

  it("keeps no more than one turn for later", () => {
    const pace: Pace = { perSecond: 1, jitter: "none" };
    const { free } = nextTurn(pace, 0, 1_000, 0);
    expect(nextTurn(pace, free, 60_000, 0)).toEqual({ at: 60_000, free: 61_000 });
  });

  it("is at a random moment of its turn with jitter, and never more than the pace in a second", () => {
    const draws = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 10_000, noNaN: true }), draws, (perSecond, drawn) => {
        const at = turns({ perSecond, jitter: "full" }, drawn.length, (n) => drawn[n]!);
        for (const [n, instant] of at.entries()) {
          expect(instant).toBeGreaterThanOrEqual(Math.floor(1_000 + (n * 1_000) / perSecond) - 1);
          expect(instant).toBeLessThanOrEqual(1_000 + ((n + 1) * 1_000) / perSecond + 1);
        }
      }),
    );
  });
});
