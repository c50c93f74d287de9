import { describe, expect, it } from "vitest";
import { canMove, isEnded, type Status, STATUSES } from "./status.ts";

/** One row for each status, one column for each that may follow, in the order of STATUSES. */
const TABLE = `
              PENDING READY RUNNING WAITING SUSPENDED INTERRUPTED SUCCEEDED FAILED SKIPPED CANCELLED
  PENDING     -       x     x       x       x         x           -         x      x       x
  READY       x       -     x       x       x         x           -         x      x       x
  RUNNING     -       x     -       x       x         x           x         x      -       x
  WAITING     x       x     x       -       x         x           -         x      x       x
  SUSPENDED   x       -     x       -       -         x           -         -      x       x
  INTERRUPTED -       -     -       -       -         -           -         -      -       x
  SUCCEEDED   -       -     -       -       -         -           -         -      -       -
  FAILED      -       -     -       -       -         -           -         -      -       -
  SKIPPED     -       -     -       -       -         -           -         -      -       -
  CANCELLED   -       -     -       -       -         -           -         -      -       -
`;

const [header, ...rows] = TABLE.trim()
  .split("\n")
  .map((line) => line.trim().split(/\s+/));

const PAIRS = rows.flatMap(([from, ...marks]) =>
  marks.map((mark, column) => [from as Status, header![column] as Status, mark === "x"] as const),
);

describe("status", () => {
  it("has a row and a column for every status", () => {
    expect(PAIRS).toHaveLength(100);
    expect(header).toEqual(STATUSES);
    expect(rows.map(([from]) => from)).toEqual(STATUSES);
  });

  it.each(PAIRS)("%s → %s: %s", (from, to, allowed) => {
    expect(canMove(from, to)).toBe(allowed);
  });

  it("ends with four statuses", () => {
    expect(STATUSES.filter(isEnded)).toEqual(["SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED"]);
  });
});
