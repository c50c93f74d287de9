import type { Reporter, TestCase, TestModule } from "vitest/node";
import type {} from "./find-server.ts";

/** The cases of a run that need one kind of server. */
interface Tally {
  ran: number;
  skipped: number;
  /** Why there was no server; null when there was one. */
  missing: string | null;
}

/** Says at the end of a run with which servers its cases ran, and how many were skipped for want of one. */
export default class ServerReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tallies = new Map<string, Tally>();
    for (const module of modules) for (const test of module.children.allTests()) count(test, tallies);
    const lines = [...tallies].flatMap(([title, tally]) => linesOn(title, tally));
    if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n\n`);
  }
}

function count(test: TestCase, tallies: Map<string, Tally>): void {
  for (const { title, missing } of serversOf(test)) {
    const tally = tallies.get(title) ?? { ran: 0, skipped: 0, missing: null };
    tallies.set(title, tally);
    tally.missing ??= missing;
    if (missing !== null) tally.skipped += 1;
    else if (test.result().state !== "skipped") tally.ran += 1;
  }
}

function serversOf(test: TestCase): NonNullable<ReturnType<TestCase["meta"]>["servers"]> {
  for (let suite = test.parent; suite.type === "suite"; suite = suite.parent) {
    const { servers } = suite.meta();
    if (servers !== undefined) return servers;
  }
  return [];
}

function linesOn(title: string, { ran, skipped, missing }: Tally): string[] {
  return [
    ...(ran > 0 ? [`     tested on ${title}: ${ran} cases`] : []),
    ...(skipped > 0 ? [` NOT TESTED on ${title}: ${skipped} cases skipped, for ${missing}`] : []),
  ];
}
