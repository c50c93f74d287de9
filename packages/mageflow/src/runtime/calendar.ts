import { InvalidPlanError } from "../core/errors.ts";
import { inWords } from "../core/in-words.ts";
import { instant } from "../core/instant.ts";

/** A point in time, as people give it. */
export interface CalendarTime {
  /**
   * A `Date`, epoch milliseconds, or a text: with an offset (`"2026-03-08T02:30:00Z"`, `"2026-03-08 02:30-05:00"`) it is the same
   * instant everywhere; without one (`"2026-03-08T02:30"`, `"2026-03-08"`) it is what clocks show in `timeZone`.
   */
  at: Date | number | string;
  /** The IANA zone of a text without an offset, such as `"Europe/London"`. */
  timeZone?: string;
}

const ACCEPTED =
  'give a Date, whole epoch milliseconds, a text with an offset such as "2026-03-08T02:30:00Z", or one without such as "2026-03-08T02:30" or "2026-03-08" and its timeZone';

/** The texts of ISO 8601 that are taken; a space may stand for the `T`. Whether there is such a day is asked of the calendar. */
const DAY = String.raw`(?:\d{4}|[+-]\d{6})-\d{2}-\d{2}`;
const TIME = String.raw`[T ]\d{2}:\d{2}(?::[0-5]\d(?:\.\d{1,9})?)?`;
const LOCAL = new RegExp(`^${DAY}(?:${TIME})?$`);
const ABSOLUTE = new RegExp(String.raw`^${DAY}${TIME}(?:Z|[+-]\d{2}:\d{2})$`);

/**
 * Epoch milliseconds of a point in time. A local time that daylight saving skips is taken as much later as the clocks go forward;
 * of one that comes twice, the first counts.
 *
 * @throws InvalidPlanError (`INVALID_PLAN`) for what is no point in time, a zone that is not known, a text without an offset and
 *   without a zone, and a zone beside what needs none.
 */
export async function calendarInstant({ at, timeZone }: CalendarTime, what: string): Promise<number> {
  const isText = typeof at === "string";
  if (isText && !LOCAL.test(at) && !ABSOLUTE.test(at)) throw unreadable(at, what);
  const isLocal = isText && LOCAL.test(at);
  if (!isLocal && timeZone !== undefined) {
    throw new InvalidPlanError(
      `${what} has the timeZone ${inWords(timeZone)} beside an instant that is the same in every zone; leave the timeZone out, or give a text without an offset`,
    );
  }
  if (!isText) return instant(at, what);
  if (isLocal && timeZone === undefined) {
    throw new InvalidPlanError(
      `${what} is ${inWords(at)}, which is another instant in every zone; add a timeZone such as "Europe/London", or an offset such as "Z"`,
    );
  }
  // Loaded here, so that only those who give texts load it.
  const { Temporal } = await import("temporal-polyfill");
  if (timeZone !== undefined && !isZone(timeZone, Temporal)) {
    throw new InvalidPlanError(
      `the timeZone of ${what} is ${inWords(timeZone)}, which is not known; give an IANA zone such as "Europe/London", "America/New_York" or "UTC"`,
    );
  }
  try {
    const moment =
      timeZone === undefined
        ? Temporal.Instant.from(at)
        : Temporal.PlainDateTime.from(at).toZonedDateTime(timeZone, { disambiguation: "compatible" });
    return moment.epochMilliseconds;
  } catch {
    throw unreadable(at, what);
  }
}

function unreadable(at: string, what: string): InvalidPlanError {
  return new InvalidPlanError(`${what} is ${inWords(at)}, which is no point in time; ${ACCEPTED}`);
}

/** True for the name of a zone: an offset is none, as it knows no daylight saving. */
function isZone(name: unknown, { ZonedDateTime }: typeof import("temporal-polyfill").Temporal): boolean {
  if (typeof name !== "string" || !/^[A-Za-z]/.test(name)) return false;
  try {
    return new ZonedDateTime(0n, name).timeZoneId !== "";
  } catch {
    return false;
  }
}
