import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { airportChart, dayChart, escape, monthChart } from "./charts.ts";
import type { Report } from "./report.ts";
import { meanDelay, shareLate } from "./tally.ts";

/** Writes `report.json` and the page that draws it, and gives their paths. */
export async function writeReport(report: Report, folder: string): Promise<{ page: string; data: string }> {
  await mkdir(folder, { recursive: true });
  const page = join(folder, "report.html");
  const data = join(folder, "report.json");
  await writeFile(data, `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(page, pageOf(report));
  return { page, data };
}

/** The report in a few lines of Markdown. */
export function headlines({ total, months, airports, damaged, blocks }: Report): string {
  return [
    `# ${count(total.flights)} flights, ${percent(shareLate(total))} of them late`,
    "",
    ...Object.entries(months).map(
      ([month, tally]) =>
        `- ${month}: ${count(tally.flights)} flights, ${minutes(meanDelay(tally))} behind on average, ${percent(shareLate(tally))} late`,
    ),
    `- ${airports.length} airports, the busiest: ${airports
      .slice(0, 3)
      .map(({ iata, city }) => `${city} (${iata})`)
      .join(", ")}`,
    `- ${damaged.length} of ${blocks} blocks could not be read: ${damaged.map(({ block }) => block).join(", ") || "none"}`,
    "",
  ].join("\n");
}

const TOP = 15;

function pageOf(report: Report): string {
  const { total, months, days, airports, damaged, blocks, outliers } = report;
  const left = damaged.map(
    ({ block, error, attempts }) =>
      `<li><b>${escape(block)}</b> after ${attempts} attempts: <code>${escape(error)}</code></li>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Flight delays, January to March 2001</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Flight delays, January to March 2001</h1>
<p class="lead">${count(total.flights)} flights from ${airports.length} airports of the United States:
${minutes(meanDelay(total))} behind on average, ${percent(shareLate(total))} late by 15 minutes or more.</p>
<h2>By month</h2>
${monthChart(months)}
<h2>By day</h2>
${dayChart(days)}
<h2>The ${TOP} busiest airports</h2>
${airportChart(airports.slice(0, TOP))}
<h2>Left out</h2>
<p>${damaged.length} of ${blocks} blocks, and ${count(outliers)} flights more than six hours off their timetable.</p>
<ul>${left.join("\n")}</ul>
<footer>${CREDITS}</footer>
</main>
</body>
</html>
`;
}

/** Sources and terms as datapackage.json of vega-datasets 3.2.1 states them. */
const CREDITS = `Flights: <a href="https://www.transtats.bts.gov/">U.S. Bureau of Transportation Statistics</a>, reported
under <a href="https://www.ecfr.gov/current/title-14/chapter-II/subchapter-A/part-234">14 CFR Part 234</a> (licence not stated
further). Airports: <a href="https://catalog.data.gov/dataset/airports-5e97a">Data.gov</a>, a
<a href="https://www.usa.gov/government-works">United States government work</a>. Both by way of
<a href="https://github.com/vega/vega-datasets">vega-datasets</a>. Made by the demo of MageFlow.`;

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2733; --soft: #64748b; --line: #d9e0e8; --paper: #fff; --mark: #2563eb; --late: #d9480f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e2e8f0; --soft: #94a3b8; --line: #334155; --paper: #0f172a; --mark: #7aa5ff; --late: #ff9559; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 860px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { margin: 0; font-size: 28px; line-height: 1.2; } h2 { margin: 36px 0 8px; font-size: 19px; }
.lead { color: var(--soft); } footer { margin-top: 48px; color: var(--soft); font-size: 13px; }
a { color: inherit; } code { overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg .soft { fill: var(--soft); }
svg .mark { fill: var(--mark); } svg .late { fill: var(--late); } svg .grid { stroke: var(--line); }
svg .curve { fill: none; stroke: var(--mark); stroke-width: 2; stroke-linejoin: round; } svg .mean { stroke: var(--late); stroke-width: 2; }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }`;

function count(value: number): string {
  return value.toLocaleString("en");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function minutes(value: number): string {
  return `${value.toFixed(1)} minutes`;
}
