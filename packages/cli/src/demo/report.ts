import { z } from "zod";
import { type Airport, readAirports } from "./airports.ts";
import { type Tallies, talliesSchema, type Tally, tallySchema, totalOf } from "./tally.ts";

/** A block that could not be read, and why. */
interface DamagedBlock {
  block: string;
  error: string;
  attempts: number;
}

/** What all blocks add up to. */
export interface Totals {
  blocks: number;
  damaged: DamagedBlock[];
  outliers: number;
  months: Tallies;
  days: Tallies;
  airports: Tallies;
}

/** An airport that flights leave from. */
export interface BusyAirport extends Airport {
  total: Tally;
  months: Tallies;
}

/** What the report shows: `report.json`. The busiest airports come first. */
export interface Report extends Omit<Totals, "airports"> {
  total: Tally;
  airports: BusyAirport[];
}

const shared = {
  blocks: z.int(),
  damaged: z.array(z.object({ block: z.string(), error: z.string(), attempts: z.int() })),
  outliers: z.int(),
  months: talliesSchema,
  days: talliesSchema,
};

export const totalsSchema: z.ZodType<Totals, Totals> = z.object({ ...shared, airports: talliesSchema });

export const reportSchema: z.ZodType<Report, Report> = z.object({
  ...shared,
  total: tallySchema,
  airports: z.array(
    z.object({
      iata: z.string(),
      name: z.string(),
      city: z.string(),
      state: z.string(),
      total: tallySchema,
      months: talliesSchema,
    }),
  ),
});

/** Gives the airports of the totals their names. An airport that the file does not know keeps its code. */
export async function joinAirports(totals: Totals, airportsFile: string): Promise<Report> {
  const known = await readAirports(airportsFile);
  const months = new Map<string, Tallies>();
  for (const [key, tally] of Object.entries(totals.airports)) {
    const [iata = "", month = ""] = key.split(" ");
    months.set(iata, { ...months.get(iata), [month]: tally });
  }
  const airports = [...months]
    .map(([iata, byMonth]) => busyAirport(iata, known.get(iata), byMonth))
    .toSorted((a, b) => b.total.flights - a.total.flights || (a.iata < b.iata ? -1 : 1));
  return { ...totals, total: totalOf(Object.values(totals.months)), airports };
}

function busyAirport(iata: string, airport: Airport | undefined, months: Tallies): BusyAirport {
  const { name = iata, city = "", state = "" } = airport ?? {};
  return { iata, name, city, state, total: totalOf(Object.values(months)), months };
}
