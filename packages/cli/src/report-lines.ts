import type { Fate, ResumeEntry, ResumeReport } from "mageflow";
import { fitColumns } from "./fit-columns.ts";
import { paint } from "./paint.ts";
import { clip } from "./plain-text.ts";
import { screenWidth } from "./screen.ts";
import { instant, number } from "./span.ts";
import { table } from "./table.ts";

/** Entries that are shown when nobody asks for all. */
const SHOWN = 20;
const COLOURS = {
  resumed: "green",
  started: "blue",
  kept: "yellow",
  skipped: "gray",
  parked: "magenta",
  failed: "red",
} as const satisfies Record<Fate, string>;
const FATES = Object.keys(COLOURS) as Fate[];

/** A resume report for people: when and why, what became of how many, and of which ones; `all` shows every entry there is. */
export function reportLines(report: ResumeReport, all: boolean): string[] {
  const { at, by, reason, seen, more, entries } = report;
  const told = FATES.filter((fate) => report[fate] > 0).map(
    (fate) => `${number(report[fate])} ${paint(COLOURS[fate], fate)}`,
  );
  const shown = all ? entries : entries.slice(0, SHOWN);
  const hidden = seen - shown.length;
  return [
    `${instant(at)}  ${reason} (${clip(by, 60)})`,
    `${number(seen)}${more ? " or more" : ""} seen: ${told.join(", ")}`,
    ...(shown.length === 0 ? [] : rows(shown)),
    ...(hidden > 0
      ? [paint("dim", `… and ${number(hidden)} more${all ? "" : "; --verbose shows up to 1,000"}`)]
      : []),
  ];
}

function rows(entries: readonly ResumeEntry[]): string[] {
  const columns = [
    { title: "ID", cells: entries.map(({ id }) => clip(id, 60)) },
    { title: "NAME", cells: entries.map(({ name }) => clip(name, 40)), least: 12 },
    { title: "WHAT", cells: entries.map(({ what }) => paint(COLOURS[what], what)) },
    { title: "WHY", cells: entries.map(({ why }) => clip(why, 200)), least: 20 },
  ];
  return table(fitColumns(columns, ["NAME"], screenWidth()));
}
