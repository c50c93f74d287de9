import { InvalidPlanError } from "./errors.ts";
import { inWords } from "./in-words.ts";

/** How far a `Date` reaches from 1970 to either side, in milliseconds (ECMA-262, Time Values). */
const FARTHEST_MS = 8.64e15;

/**
 * Epoch milliseconds of an instant.
 *
 * @throws InvalidPlanError (`INVALID_PLAN`) for anything but a valid `Date` or whole milliseconds within its range.
 */
export function instant(given: unknown, what: string): number {
  const ms = isDate(given) ? Number(given) : given;
  if (typeof ms === "number" && Number.isInteger(ms) && Math.abs(ms) <= FARTHEST_MS) return ms;
  const found = isDate(given) ? "an invalid Date" : inWords(given);
  throw new InvalidPlanError(
    `${what} is ${found}; give a Date, or whole epoch milliseconds between -8.64e15 and 8.64e15`,
  );
}

/** Of this realm or another. */
function isDate(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object Date]";
}
