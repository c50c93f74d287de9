import type { StoredCause, StoredError } from "mageflow";
import { paint } from "./paint.ts";
import { clip } from "./plain-text.ts";
import { userFrame } from "./user-frame.ts";

/** The error with the way to where it happened, and everything that caused it; with `stacks` each with its whole stack. */
export function errorLines(error: StoredError, stacks = false): string[] {
  const path = error.path.map(({ name, kind, slot }, at) =>
    clip(at === 0 || kind !== "task" ? name : `${name}[${slot}]`, 60),
  );
  const tries = error.attempts > 1 ? ` after ${error.attempts} attempts` : "";
  const lines = [
    `${paint("red", "failed")}${tries}: ${causeText(error)}`,
    ...indented(stackLines(error, stacks), "  "),
  ];
  if (path.length > 1) lines.push(`  at ${path.join(" › ")}`);
  const failing = error.path.at(-1);
  if (failing !== undefined && path.length > 1) lines.push(`  id ${clip(failing.id, 400)}`);
  return [...lines, ...indented(innerLines(error, stacks, path.length), "  ")];
}

/** What an AggregateError holds, each with what caused it further in; then what caused the error itself. */
function innerLines({ errors = [], cause }: StoredCause, stacks: boolean, depth: number): string[] {
  const lines: string[] = [];
  const add = (why: string, inner: StoredCause): void => {
    lines.push(`${why} ${causeText(inner)}`, ...indented(stackLines(inner, stacks), "  "));
    const path = "path" in inner ? (inner as StoredError).path : [];
    if (path.length > depth)
      lines.push(
        `  at ${path.map(({ name }) => clip(name, 60)).join(" › ")}, id ${clip(path.at(-1)!.id, 400)}`,
      );
  };
  for (const [n, error] of errors.entries()) {
    add(`error ${n + 1} of ${errors.length}:`, error);
    lines.push(...indented(innerLines(error, stacks, depth), "  "));
  }
  if (cause === undefined) return lines;
  add("caused by", cause);
  return [...lines, ...innerLines(cause, stacks, depth)];
}

function causeText({ name, message, code }: StoredCause): string {
  return `${clip(name, 100)}${code === undefined ? "" : ` (${clip(code, 100)})`}: ${clip(message, 1_000)}`;
}

/** Where it was thrown, or with `whole` all frames of its stack, without the message above them. */
function stackLines({ stack = "" }: StoredCause, whole: boolean): string[] {
  const frames = whole ? stack.split("\n").filter((line) => /^ +at /.test(line)) : [];
  if (whole) return frames.map((frame) => clip(frame.trim(), 400));
  const frame = userFrame(stack);
  return frame === null ? [] : [`thrown at ${clip(frame, 400)}`];
}

function indented(lines: readonly string[], by: string): string[] {
  return lines.map((line) => by + line);
}
