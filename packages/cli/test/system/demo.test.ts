import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const FLIGHTS = fileURLToPath(
  new URL("../../../../node_modules/vega-datasets/data/flights-20k.json", import.meta.url),
);

describe("the demo, as JSON", () => {
  let folder: string;
  let ran: { stdout: string; stderr: string };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mageflow-demo-test-"));
    ran = await demo("--json");
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  function demo(...options: string[]) {
    const command = ["--conditions=@mageflow/source", MAIN, "demo", "--output", join(folder, "report")];
    return promisify(execFile)(
      process.execPath,
      [...command, "--store", `sqlite:${join(folder, "demo.db")}`, ...options],
      { env: { ...process.env, TMPDIR: folder } },
    );
  }

  it("prints one object, its last line, and nothing beside it", () => {
    expect(ran.stderr).toBe("");
    expect(JSON.parse(ran.stdout)).toEqual({
      ok: true,
      id: expect.stringMatching(/^[0-9a-z]{26}$/),
      store: `sqlite:${join(folder, "demo.db")}`,
      tasks: 243,
      failed: 1,
      seconds: expect.any(Number),
      report: join(folder, "report", "report.html"),
    });
  });

  it("counts what a naive loop counts, without the damaged block", () => {
    const report = JSON.parse(readFileSync(join(folder, "report", "report.json"), "utf8"));
    const { months, days, airports, outliers } = countNaively();
    expect(report.months).toEqual(months);
    expect(report.days).toEqual(days);
    expect(
      Object.fromEntries(report.airports.map((airport: Named) => [airport.iata, airport.months])),
    ).toEqual(airports);
    expect(report.outliers).toBe(outliers);
    expect(report.total.flights).toBe(20_000 - 500 - outliers);
    expect(report.blocks).toBe(40);
  });

  it("gives airports their names, the busiest first", () => {
    const report = JSON.parse(readFileSync(join(folder, "report", "report.json"), "utf8"));
    const flights = report.airports.map((airport: Named) => airport.total.flights);
    expect(flights).toEqual(flights.toSorted((a: number, b: number) => b - a));
    expect(report.airports[0]).toMatchObject({
      iata: "DFW",
      name: "Dallas-Fort Worth International",
      city: "Dallas-Fort Worth",
      state: "TX",
    });
    expect(report.airports.filter(({ iata, name }: Named) => iata === name)).toEqual([]);
  });

  it("draws the charts, says what is left out, and credits the sources", async () => {
    const page = await readFile(join(folder, "report", "report.html"), "utf8");
    expect(page.match(/<svg /g)).toHaveLength(3);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    expect(page).toContain("February");
    expect(page).toContain("Dallas-Fort Worth");
    expect(page).toContain("<b>block-17</b> after 3 attempts");
    expect(page).toContain("Bureau of Transportation Statistics");
    expect(page).not.toMatch(/<(script|link|img)\b/);
  });

  it("leaves what its callbacks made, and no working directory", async () => {
    const made = await readdir(join(folder, "report"));
    expect(made.toSorted()).toEqual(["HEADLINES.md", "block-17.damaged", "report.html", "report.json"]);
    expect((await readdir(folder)).toSorted().filter((name) => !name.startsWith("demo.db"))).toEqual([
      "report",
    ]);
  });

  it("runs again in the same places, and tells people what it did", async () => {
    const { stdout, stderr } = await demo();
    expect(stdout).toMatch(/parse-block +40 +39 +1 +0 +2 /);
    expect(stdout).toMatch(/tally-block +120 +117 +0 +3 +0 /);
    expect(stdout).toContain(
      "parse-block failed after 3 attempts: block-17 is damaged: line 501 is not a flight\n",
    );
    expect(stdout).toContain("callbacks: 2 success, 1 itemError, 1 cleanup");
    expect(stdout).toContain("finish-upload: block-03 has arrived");
    const [, id, store] = /npx mageflow show (\S+) --store sqlite:(\S+)/.exec(stdout) ?? [];
    expect(id).toMatch(/^[0-9a-z]{26}$/);
    expect(store !== undefined && existsSync(store)).toBe(true);
    expect(stderr).toContain("parse-block block-03 failed, attempt 2 follows");
    expect(stderr).toContain("parse-block block-17 failed, attempt 3 follows");
  });
});

it("makes one temporary folder when it is told no places", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mageflow-demo-test-"));
  const env = { ...process.env, TMPDIR: folder };
  const command = ["--conditions=@mageflow/source", MAIN, "demo", "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, command, { env });
  const made = await readdir(folder);
  const { report, store } = JSON.parse(stdout) as { report: string; store: string };
  expect(made).toHaveLength(1);
  expect(report).toBe(join(folder, made[0]!, "report", "report.html"));
  expect(store).toBe(`sqlite:${join(folder, made[0]!, "mageflow.db")}`);
  expect(await readdir(join(folder, made[0]!, "report"))).toHaveLength(4);
  await rm(folder, { recursive: true, force: true });
});

interface Named {
  iata: string;
  name: string;
  total: Count;
  months: Record<string, Count>;
}

interface Count {
  flights: number;
  late: number;
  minutes: number;
}

function countNaively() {
  const flights: { date: string; delay: number; origin: string }[] = JSON.parse(
    readFileSync(FLIGHTS, "utf8"),
  );
  const months: Record<string, Count> = {};
  const days: Record<string, Count> = {};
  const airports: Record<string, Record<string, Count>> = {};
  let outliers = 0;
  for (const [index, { date, delay, origin }] of flights.entries()) {
    if (index >= 17 * 500 && index < 18 * 500) continue;
    if (delay > 360 || delay < -360) {
      outliers++;
      continue;
    }
    const day = `${date.slice(0, 4)}-${date.slice(5, 7)}-${date.slice(8, 10)}`;
    const month = day.slice(0, 7);
    const airport = (airports[origin] ??= {});
    for (const [table, key] of [
      [months, month],
      [days, day],
      [airport, month],
    ] as const) {
      const count = (table[key] ??= { flights: 0, late: 0, minutes: 0 });
      count.flights++;
      if (delay >= 15) count.late++;
      count.minutes += delay;
    }
  }
  return { months, days, airports, outliers };
}
