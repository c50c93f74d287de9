import type { Run, RunStatus, Settled, SignatureView } from "mageflow";
import type { Globals } from "./action.ts";
import { commandLine } from "./command-line.ts";
import { errorLines } from "./error-lines.ts";
import { isGone } from "./is-gone.ts";
import { print, printJson } from "./output.ts";
import { paint, paintStatus } from "./paint.ts";
import { clip } from "./plain-text.ts";
import { resultLines } from "./result-lines.ts";
import { screenWidth } from "./screen.ts";
import { number, span } from "./span.ts";
import { statusNote } from "./status-note.ts";

/** A result is printed for people up to here; with `--json` it is whole. */
const SHOWN_CHARS = 4_000;

/** Prints how a run has ended. For people the summary comes last, where they look. */
export async function printOutcome(
  run: Run,
  name: string,
  settled: Settled<unknown>,
  { json, verbose, ...given }: Globals,
): Promise<void> {
  const left = await whatIsLeft(run);
  const { startedAt = null, finishedAt = null, interrupted = null } = left?.view ?? {};
  const counts = left?.status.counts ?? null;
  if (json) {
    const { id, status, result = null, error = null } = settled;
    printJson({ id, name, status, result, error, counts, startedAt, finishedAt, interrupted });
    return;
  }
  if (settled.error !== undefined) for (const line of errorLines(settled.error, verbose)) print(line);
  if (settled.status === "SUCCEEDED") {
    const room = { most: verbose ? Number.POSITIVE_INFINITY : SHOWN_CHARS, width: screenWidth() };
    for (const line of resultLines(settled.result, room)) print(line);
  }
  if (counts !== null && counts.cleanupFailed > 0) {
    const how = commandLine(["show", run.id], given);
    print(paint("red", `${number(counts.cleanupFailed)} of its cleanups failed: ${how}`));
  }
  const took = startedAt === null || finishedAt === null ? "" : ` in ${span(finishedAt - startedAt)}`;
  const note = left === null ? "" : statusNote(left.view, Date.now());
  print(
    `${paintStatus(settled.status)}  ${clip(name, 100)}  ${run.id}${took}${note === "" ? "" : `  ${note}`}`,
  );
  if (settled.status === "INTERRUPTED")
    print(paint("dim", `it goes on by: ${commandLine(["resume", run.id], given)}`));
}

/** What can be read of it; null when it was removed at its end, because it was cancelled or is not kept. */
async function whatIsLeft(run: Run): Promise<{ view: SignatureView; status: RunStatus } | null> {
  try {
    return { view: await run.view(), status: await run.status() };
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}
