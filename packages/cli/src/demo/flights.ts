import { readFile, writeFile } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { CommandError } from "../exit-codes.ts";

/** A record of `flights-20k.json`. */
export interface FlightRecord {
  date: string;
  delay: number;
  distance: number;
  origin: string;
  destination: string;
}

/** What is counted of a flight. `day` is an ISO date, `delay` in minutes. */
export interface Flight {
  day: string;
  origin: string;
  delay: number;
}

const flightRecord: z.ZodType<FlightRecord> = z.object({
  date: z.string().regex(/^\d{4}\/\d{2}\/\d{2} \d{2}:\d{2}$/),
  delay: z.int(),
  distance: z.int(),
  origin: z.string().length(3),
  destination: z.string().length(3),
});

const flight: z.ZodType<Flight> = z.object({ day: z.iso.date(), origin: z.string(), delay: z.int() });

/** Where the two data sets lie. @throws CommandError (`FILE_NOT_FOUND`) when `vega-datasets` is not installed. */
export function dataFiles(): { flights: string; airports: string } {
  const manifest = findDatasets();
  if (manifest === undefined) {
    throw new CommandError(
      "FILE_NOT_FOUND",
      "the data of the demo is not here",
      "run it in a checkout of MageFlow, or install the npm package vega-datasets",
    );
  }
  const data = join(dirname(manifest), "data");
  return { flights: join(data, "flights-20k.json"), airports: join(data, "airports.csv") };
}

function findDatasets(): string | undefined {
  try {
    return findPackageJSON("vega-datasets", import.meta.url);
  } catch {
    return undefined;
  }
}

/**
 * Cuts the text of a JSON array of flat objects into blocks, without parsing any of them. The first line of a block tells how
 * many follow: one that is cut short where a line ends would pass for a smaller one.
 */
export function cutIntoBlocks(text: string, count: number): string[] {
  const lines = text.trim().slice(1, -1).replaceAll("},{", "}\n{").split("\n");
  const size = Math.ceil(lines.length / count);
  return Array.from({ length: count }, (_, block) => {
    const inside = lines.slice(block * size, (block + 1) * size);
    return [inside.length, ...inside].join("\n");
  });
}

/** The flights of a block. @throws Error with the line that is not a flight, or when lines are missing. */
export async function parseBlock(path: string): Promise<FlightRecord[]> {
  const [promised, ...lines] = (await readFile(path, "utf8")).split("\n");
  const records = lines.map((line, index) => {
    try {
      return flightRecord.parse(JSON.parse(line));
    } catch (cause) {
      throw new Error(`${basename(path)} is damaged: line ${index + 2} is not a flight`, { cause });
    }
  });
  if (records.length !== Number(promised)) {
    throw new Error(`${basename(path)} is damaged: it holds ${records.length} of ${promised} flights`);
  }
  return records;
}

const OUTLIER_MINUTES = 6 * 60;

/** Leaves out the few flights that are more than six hours off their timetable, and the columns that nobody counts. */
export function cleanFlights(records: readonly FlightRecord[]): Flight[] {
  return records
    .filter(({ delay }) => Math.abs(delay) <= OUTLIER_MINUTES)
    .map(({ date, origin, delay }) => ({ day: date.slice(0, 10).replaceAll("/", "-"), origin, delay }));
}

export async function saveJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, JSON.stringify(value));
}

export async function loadRecords(path: string): Promise<FlightRecord[]> {
  return z.array(flightRecord).parse(JSON.parse(await readFile(path, "utf8")));
}

export async function loadFlights(path: string): Promise<Flight[]> {
  return z.array(flight).parse(JSON.parse(await readFile(path, "utf8")));
}
