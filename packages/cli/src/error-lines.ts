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
  for (let cause: StoredCause | undefined = error.cause; cause !== undefined; cause = cause.cause) {
    lines.push(`  caused by ${causeText(cause)}`, ...indented(stackLines(cause, stacks), "    "));
    const inner = "path" in cause ? (cause as StoredError).path : [];
    if (inner.length > path.length)
      lines.push(
        `    at ${inner.map(({ name }) => clip(name, 60)).join(" › ")}, id ${clip(inner.at(-1)!.id, 400)}`,
      );
  }
  return lines;
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
