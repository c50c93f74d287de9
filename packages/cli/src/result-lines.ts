import type { ItemResult, SwarmResult } from "mageflow";
import { paint } from "./paint.ts";
import { clip, plainJson } from "./plain-text.ts";
import { shownLength } from "./screen.ts";
import { number } from "./span.ts";

/** A swarm of more items is told in sums. */
const LISTED_ITEMS = 20;
const LISTED_FAILURES = 5;
const LEAST_REASON = 20;

export interface Room {
  /** Characters of JSON. */
  readonly most: number;
  /** Columns that a line has. */
  readonly width: number;
}

/** A result for people; that of a large swarm as its first failures and its counts, unless there is room for everything. */
export function resultLines(result: unknown, { most, width }: Room): string[] {
  if (isSwarmResult(result) && result.total > LISTED_ITEMS && Number.isFinite(most))
    return swarmLines(result, width);
  const text = plainJson(result ?? null, 2);
  const lines = text.slice(0, most).split("\n");
  if (Number.isFinite(most) && lines.some((line) => line.length > width)) {
    return [
      ...lines.map((line) => clip(line, width)),
      paint("dim", "lines are cut; --verbose or --json prints all"),
    ];
  }
  if (text.length > most) {
    lines.push(
      paint("dim", `… ${number(text.length - most)} more characters; --verbose or --json prints all`),
    );
  }
  return lines;
}

function swarmLines(
  { total, succeeded, failed, skipped, results = [] }: Partial<SwarmResult> & Counted,
  width: number,
): string[] {
  const failures = results.filter(({ status }) => status === "FAILED");
  const lines = failures.slice(0, LISTED_FAILURES).map((item) => failureLine(item, width));
  const more = failed - lines.length;
  if (more > 0) lines.push(paint("dim", `… ${number(more)} more failed`));
  const parts = [
    `${number(succeeded)} succeeded`,
    ...(failed === 0 ? [] : [paint("red", `${number(failed)} failed`)]),
    ...(skipped === 0 ? [] : [`${number(skipped)} skipped`]),
  ];
  const all = results.length > 0 ? paint("dim", " (--verbose or --json prints all)") : "";
  lines.push(`${number(total)} items: ${parts.join(", ")}${all}`);
  return lines;
}

function failureLine({ index, key, id, error }: ItemResult, width: number): string {
  const item = `${paint("red", "failed")} ${key === undefined ? index : clip(key, 60)} ${paint("dim", id)}`;
  if (error === undefined) return item;
  const left = Math.max(LEAST_REASON, Math.min(200, width - shownLength(item) - 1));
  return `${item} ${clip(`${error.name}: ${error.message}`, left)}`;
}

type Counted = Pick<SwarmResult, "total" | "succeeded" | "failed" | "skipped">;

/** By its shape: the counts, and nothing else but the results. */
function isSwarmResult(result: unknown): result is Counted {
  if (typeof result !== "object" || result === null) return false;
  const { results = [], ...counts } = result as Record<string, unknown>;
  const names = Object.keys(counts).toSorted().join();
  return Array.isArray(results) && names === "failed,skipped,succeeded,total";
}
