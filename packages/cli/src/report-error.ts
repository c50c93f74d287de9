import { MageFlowError } from "mageflow";
import { CommanderError } from "commander";
import { commandLine, type Given } from "./command-line.ts";
import { CommandError, EXIT, exitCodeOf } from "./exit-codes.ts";
import { note } from "./output.ts";
import { plainJson } from "./plain-text.ts";

/** What to do, for codes whose message does not say it in words of the command line. */
const HINTS: Readonly<Record<string, (error: MageFlowError, given: Given) => string>> = {
  NOT_FOUND: (_, given) =>
    `\`${commandLine(["ps", "--all"], given)}\` lists what is stored; \`--store\` names another store`,
  IDEMPOTENCY_CONFLICT: (error, given) =>
    `\`${commandLine(["show", idOf(error)], given)}\` shows it; give another --key to run what is here`,
  GONE: (_, given) => `\`${commandLine(["audit"], given)}\` lists who has done what`,
  ALREADY_RUNNING: (error, given) =>
    `\`${commandLine(["show", idOf(error)], given)}\` tells its parent, which can be suspended; \`interrupt\` stops what runs`,
  ILLEGAL_TRANSITION: (error, given) => {
    const show = `\`${commandLine(["show", idOf(error)], given)}\` tells how it stands and what of it is open`;
    const more = NEXT_BY_STATUS[String("status" in error ? error.status : "")];
    return more === undefined ? show : `${show}; ${more}`;
  },
};

/** What can be done with a signature that is not as the command wants it. */
const NEXT_BY_STATUS: Readonly<Record<string, string>> = {
  PENDING: "`interrupt` stops it",
  READY: "`interrupt` stops it",
  RUNNING: "`interrupt` stops it",
  WAITING: "`interrupt` stops it",
  SUSPENDED: "`resume` lets it go on",
  INTERRUPTED: "`resume` lets it go on",
  SUCCEEDED: "`rerun` runs a workflow that has ended once more",
  FAILED: "`rerun` runs a workflow that has ended once more",
};

function idOf(error: MageFlowError): string {
  return "id" in error && typeof error.id === "string" ? error.id : "<id>";
}

export interface Reported {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** Any error, in words for a person at a terminal. */
export function describe(error: unknown, given: Given = {}): Reported {
  if (error instanceof CommanderError) {
    const message = error.message
      .replace(/^error: /, "")
      .replace(/\n\(Did you mean (.*)\?\)$/s, "; did you mean $1?");
    return {
      code: "USAGE",
      message,
      hint: "`npx mageflow --help` lists all commands, `npx mageflow <command> --help` its options",
    };
  }
  if (error instanceof CommandError) return { code: error.code, message: error.message, hint: error.hint };
  if (isMageFlowError(error))
    return { code: error.code, message: error.message, hint: HINTS[error.code]?.(error, given) ?? null };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: "UNEXPECTED", message, hint: "`--verbose` shows where it comes from" };
}

/** Prints an error on stderr and returns the exit code that goes with it. */
export function reportError(
  error: unknown,
  { json, verbose, ...given }: { json: boolean; verbose: boolean } & Given,
): number {
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
  const { code, message, hint } = describe(error, given);
  const errors = heldBelow(error);
  if (json) {
    const held = errors.length === 0 ? {} : { errors: errors.map((inner) => describe(inner, given).message) };
    process.stderr.write(`${plainJson({ error: { code, message, hint, ...held } })}\n`);
  } else {
    note(`mageflow: ${message}`);
    for (const [n, inner] of errors.entries())
      note(`          error ${n + 1} of ${errors.length}: ${describe(inner, given).message}`);
    if (hint !== null) note(`          ${hint}`);
  }
  if (verbose && !json && error instanceof Error) for (const line of stackLines(error)) note(line);
  return exitCodeOf(code);
}

/** A user's module may load another copy of the library, whose errors are of another class. */
function isMageFlowError(error: unknown): error is MageFlowError {
  return error instanceof MageFlowError || (error instanceof Error && "code" in error && isOurs(error.code));
}

function isOurs(code: unknown): boolean {
  return typeof code === "string" && exitCodeOf(code) !== EXIT.failed;
}

/** Errors that are told of inside one, and one inside another, so that what holds itself comes to an end. */
const MOST = 8;

/** What an AggregateError holds. */
function heldBy(error: unknown): unknown[] {
  return error instanceof AggregateError ? error.errors.slice(0, MOST) : [];
}

/** What the first AggregateError holds among an error and what caused it. */
function heldBelow(error: unknown): unknown[] {
  for (let at = error, depth = 0; at instanceof Error && depth < MOST; at = at.cause, depth++) {
    const held = heldBy(at);
    if (held.length > 0) return held;
  }
  return [];
}

function stackLines(error: Error, why = "", depth = 0): string[] {
  const text = (error.stack ?? `${error.name}: ${error.message}`).split("\n");
  const lines = text.map((line, index) => (index === 0 ? why + line : line));
  if (depth === MOST) return lines;
  const errors = heldBy(error);
  for (const [n, inner] of errors.entries())
    if (inner instanceof Error)
      lines.push(...stackLines(inner, `error ${n + 1} of ${errors.length}: `, depth + 1));
  if (error.cause instanceof Error) lines.push(...stackLines(error.cause, "caused by ", depth + 1));
  return lines;
}
