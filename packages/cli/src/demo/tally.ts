import { z } from "zod";
import type { Flight } from "./flights.ts";

/** How often and how much: `late` flights are 15 minutes or more behind, as the Bureau of Transportation Statistics counts. */
export interface Tally {
  flights: number;
  late: number;
  minutes: number;
}

/** Tallies by key: a month `2001-01`, a day `2001-01-31`, or an airport in a month `ORD 2001-01`. */
export type Tallies = Record<string, Tally>;

export const tallySchema: z.ZodType<Tally, Tally> = z.object({
  flights: z.int(),
  late: z.int(),
  minutes: z.int(),
});

export const talliesSchema: z.ZodType<Tallies, Tallies> = z.record(z.string(), tallySchema);

/** What a block's flights are counted by. */
export type By = "airport" | "month" | "day";

export const BY: readonly By[] = ["airport", "month", "day"];

const KEY: Readonly<Record<By, (flight: Flight) => string>> = {
  airport: ({ origin, day }) => `${origin} ${day.slice(0, 7)}`,
  month: ({ day }) => day.slice(0, 7),
  day: ({ day }) => day,
};

const LATE_MINUTES = 15;

export function tallyFlights(flights: readonly Flight[], by: By): Tallies {
  const tallies: Tallies = {};
  for (const flight of flights) {
    const { delay } = flight;
    add(tallies, KEY[by](flight), { flights: 1, late: delay >= LATE_MINUTES ? 1 : 0, minutes: delay });
  }
  return tallies;
}

/** The sum of many, with the keys in order. */
export function sumTallies(parts: readonly Tallies[]): Tallies {
  const sum: Tallies = {};
  for (const part of parts) for (const [key, tally] of Object.entries(part)) add(sum, key, tally);
  return Object.fromEntries(Object.entries(sum).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function totalOf(tallies: Iterable<Tally>): Tally {
  const sum: Tallies = { total: { flights: 0, late: 0, minutes: 0 } };
  for (const tally of tallies) add(sum, "total", tally);
  return sum["total"] ?? { flights: 0, late: 0, minutes: 0 };
}

/** Minutes a flight was behind on average. */
export function meanDelay({ minutes, flights }: Tally): number {
  return flights === 0 ? 0 : minutes / flights;
}

export function shareLate({ late, flights }: Tally): number {
  return flights === 0 ? 0 : late / flights;
}

function add(tallies: Tallies, key: string, more: Tally): void {
  const { flights, late, minutes } = tallies[key] ?? { flights: 0, late: 0, minutes: 0 };
  tallies[key] = {
    flights: flights + more.flights,
    late: late + more.late,
    minutes: minutes + more.minutes,
  };
}
