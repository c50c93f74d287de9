import { InvalidPlanError, MageFlowError } from "./errors.ts";

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
  const ms = read(duration);
  const wrong = misread(ms, duration, what);
  if (wrong !== null) throw new InvalidPlanError(wrong);
  return Math.round(ms);
}

/** {@link milliseconds} of a call that makes no plan. @throws MageFlowError (`INVALID_ARGUMENT`) */
export function millisecondsGiven(duration: Duration, what: string): number {
  const ms = read(duration);
  const wrong = misread(ms, duration, what);
  if (wrong !== null) throw new MageFlowError("INVALID_ARGUMENT", wrong);
  return Math.round(ms);
}

/** {@link milliseconds}, and more than none of them: of what would be over when it begins. */
export function someMilliseconds(duration: Duration, what: string): number {
  const ms = milliseconds(duration, what);
  if (ms > 0) return ms;
  throw new InvalidPlanError(`${what} is ${shown(duration)}; give more than 0, or leave it out`);
}

function read(duration: Duration): number {
  if (typeof duration === "string") return parse(duration);
  return typeof duration === "number" ? duration : Number.NaN;
}

function misread(ms: number, duration: Duration, what: string): string | null {
  if (Number.isFinite(ms) && ms > LONGEST_MS)
    return `${what} is ${shown(duration)}, longer than 100 years; give a shorter one, or look at its unit`;
  if (ms >= 0 && Number.isFinite(ms)) return null;
  return `${what} is ${shown(duration)}, which is not a duration; give milliseconds or a text like "250ms", "5s", "2m", "1h", "7d"`;
}

function shown(duration: Duration): string {
  return typeof duration === "string" ? JSON.stringify(duration) : String(duration);
}

function parse(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  return match ? Number(match[1]) * UNITS[match[2]!]! : Number.NaN;
}
