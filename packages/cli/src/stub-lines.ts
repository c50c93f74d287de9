import type { Stub, Tombstone } from "mageflow";
import { paint, paintStatus } from "./paint.ts";
import { clip } from "./plain-text.ts";
import { instant, number, span } from "./span.ts";

/** What there is to say of a workflow that was removed, as far as it was kept, a line each. */
export function stubLines({ id, name, kind, status, at }: Tombstone, stub: Stub): string[] {
  const { counts, errorCode, tags, generation, createdAt, startedAt, finishedAt } = stub;
  const { total, succeeded, failed, skipped, cleanupFailed } = counts;
  const facts: [string, string | null][] = [
    ["id", clip(id, 400)],
    ["removed", instant(at)],
    ["tags", tags.length === 0 ? null : clip(tags.join(", "), 200)],
    ["error", errorCode === null ? null : clip(errorCode, 100)],
    [
      "inside",
      total === 0
        ? null
        : `${number(total)}: ${number(succeeded)} succeeded, ${number(failed)} failed, ${number(skipped)} skipped`,
    ],
    ["cleanups", cleanupFailed === 0 ? null : paint("red", `${number(cleanupFailed)} failed`)],
    ["generation", generation === 1 ? null : String(generation)],
    ["created", instant(createdAt)],
    ["started", startedAt === null ? null : instant(startedAt)],
    ["ended", finishedAt === null ? null : instant(finishedAt)],
    ["took", startedAt === null || finishedAt === null ? null : span(finishedAt - startedAt)],
  ];
  return [
    `${paintStatus(status)}  ${paint("bold", clip(name, 200))}  ${kind}`,
    ...facts.flatMap(([title, value]) =>
      value === null ? [] : [`  ${paint("dim", title.padEnd(10))}  ${value}`],
    ),
  ];
}
