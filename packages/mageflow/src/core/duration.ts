import { InvalidPlanError } from "./errors.ts";

/** A length of time: milliseconds, or a number with a unit such as `"250ms"`, `"5s"`, `"2m"`, `"1h"`, `"7d"`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** 100 years: longer spans are mistakes in the unit rather than plans. */
const LONGEST_MS = 100 * 365 * 86_400_000;

/**
 * Milliseconds of a duration, rounded to whole ones.
 *
 * @throws InvalidPlanError (`INVALID_PLAN`) when it is negative, not finite, longer than 100 years or not a duration.
 */
export function milliseconds(duration: Duration, what: string): number {
  const ms =
    typeof duration === "string" ? parse(duration) : typeof duration === "number" ? duration : Number.NaN;
  if (!Number.isFinite(ms) || ms < 0 || ms > LONGEST_MS) {
    throw new InvalidPlanError(
      `${what} is ${typeof duration === "string" ? JSON.stringify(duration) : String(duration)}, which is not a duration; give milliseconds or a text like "250ms", "5s", "2m", "1h", "7d"`,
    );
  }
  return Math.round(ms);
}

function parse(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  return match ? Number(match[1]) * UNITS[match[2]!]! : Number.NaN;
}
