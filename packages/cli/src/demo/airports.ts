import { readFile } from "node:fs/promises";
import { z } from "zod";

export interface Airport {
  iata: string;
  name: string;
  city: string;
  state: string;
}

const airportRow: z.ZodType<Airport> = z.object({
  iata: z.string(),
  name: z.string(),
  city: z.string(),
  state: z.string(),
});

/** The airports of a CSV file with a header line, by their code. */
export async function readAirports(path: string): Promise<Map<string, Airport>> {
  const [header = [], ...rows] = parseCsv(await readFile(path, "utf8"));
  const airports = rows.map((row) =>
    airportRow.parse(Object.fromEntries(header.map((name, column) => [name, row[column]]))),
  );
  return new Map(airports.map((airport) => [airport.iata, airport]));
}

/** RFC 4180: fields may be quoted, and a quote inside quotes is doubled. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const match of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    const [, quoted, plain = "", end] = match;
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === "") break;
    if (end !== ",") rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}
