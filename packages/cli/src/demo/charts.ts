import type { BusyAirport } from "./report.ts";
import { meanDelay, shareLate, type Tallies, type Tally } from "./tally.ts";

/** Charts as SVG text. Colours are classes that the page styles, light and dark. */

const WIDTH = 820;

/** Two bars a month: minutes behind on average, and the share of late flights. */
export function monthChart(months: Tallies): string {
  const rows = Object.entries(months);
  const bars = (
    left: number,
    title: string,
    value: (tally: Tally) => number,
    show: (value: number) => string,
    colour: string,
  ): string => {
    const most = Math.max(...rows.map(([, tally]) => value(tally)), 1e-9);
    return [
      text(left, 16, title, "soft"),
      ...rows.map(([month, tally], row) => {
        const y = 30 + row * 36;
        const width = Math.max(0, (value(tally) / most) * 210);
        return [
          text(left, y + 18, monthName(month)),
          rect(left + 85, y, width, 26, colour),
          text(left + 93 + width, y + 18, show(value(tally))),
        ].join("");
      }),
    ].join("\n");
  };
  return svg(
    40 + rows.length * 36,
    "Delay by month",
    bars(0, "minutes behind on average", meanDelay, (value) => value.toFixed(1), "mark") +
      bars(430, "late by 15 minutes or more", shareLate, (value) => `${(value * 100).toFixed(1)}%`, "late"),
  );
}

/** A curve of the days, and each month's mean across it. */
export function dayChart(days: Tallies): string {
  const rows = Object.entries(days).map(([day, tally]) => ({
    day,
    month: day.slice(0, 7),
    mean: meanDelay(tally),
    tally,
  }));
  const least = Math.floor(Math.min(0, ...rows.map(({ mean }) => mean)) / 10) * 10;
  const most = Math.ceil(Math.max(10, ...rows.map(({ mean }) => mean)) / 10) * 10;
  const x = (index: number): number => 40 + (index / Math.max(1, rows.length - 1)) * (WIDTH - 50);
  const y = (mean: number): number => 200 - ((mean - least) / (most - least)) * 180;
  const grid = Array.from({ length: (most - least) / 10 + 1 }, (_, step) => least + step * 10).map(
    (level) =>
      line(40, y(level), WIDTH - 10, y(level), "grid") + text(32, y(level) + 4, String(level), "soft end"),
  );
  const months = Map.groupBy(
    rows.map((row, index) => ({ ...row, index })),
    ({ month }) => month,
  );
  const means = [...months].map(([month, inside]) => {
    const first = inside[0]?.index ?? 0;
    const last = inside.at(-1)?.index ?? 0;
    const flights = inside.reduce((sum, { tally }) => sum + tally.flights, 0);
    const minutes = inside.reduce((sum, { tally }) => sum + tally.minutes, 0);
    const mean = minutes / flights;
    return (
      line(x(first), y(mean), x(last), y(mean), "mean") +
      text((x(first) + x(last)) / 2, 222, monthName(month), "soft middle")
    );
  });
  const curve = rows.map(({ mean }, index) => `${round(x(index))},${round(y(mean))}`).join(" ");
  return svg(
    230,
    "Minutes behind on average, by day",
    [
      ...grid,
      `<polyline class="curve" points="${curve}"/>`,
      ...means,
      text(40, 12, "minutes behind on average; the month's mean across", "soft"),
    ].join("\n"),
  );
}

/** A bar an airport for its flights, the late ones first, and its mean delay beside it. */
export function airportChart(airports: readonly BusyAirport[]): string {
  const most = Math.max(...airports.map(({ total }) => total.flights), 1);
  const rows = airports.map(({ iata, city, state, total }, row) => {
    const y = 24 + row * 26;
    const width = (total.flights / most) * 400;
    const late = shareLate(total) * width;
    return [
      text(0, y + 14, iata),
      text(44, y + 14, escape(`${city}, ${state}`), "soft"),
      rect(230, y, late, 18, "late"),
      rect(230 + late, y, width - late, 18, "mark"),
      text(230 + width + 8, y + 14, total.flights.toLocaleString("en")),
      text(WIDTH - 10, y + 14, `${meanDelay(total).toFixed(1)} min`, "end"),
    ].join("");
  });
  const head = [
    text(230, 14, "flights, late ones first", "soft"),
    text(WIDTH - 10, 14, "behind on average", "soft end"),
  ];
  return svg(
    30 + airports.length * 26,
    "Flights and delay of the busiest airports",
    [...head, ...rows].join("\n"),
  );
}

function svg(height: number, title: string, content: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">\n${content}\n</svg>`;
}

function text(x: number, y: number, content: string, classes = ""): string {
  return `<text x="${round(x)}" y="${round(y)}" class="${classes}">${content}</text>`;
}

function rect(x: number, y: number, width: number, height: number, colour: string): string {
  return `<rect x="${round(x)}" y="${y}" width="${round(width)}" height="${height}" class="${colour}"/>`;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${colour}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function monthName(month: string): string {
  return new Date(`${month}-01T00:00:00Z`).toLocaleString("en", { month: "long", timeZone: "UTC" });
}

/** Text as it stands in markup. */
export function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
