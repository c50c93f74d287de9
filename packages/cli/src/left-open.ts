import type { RunStatus } from "mageflow";
import { commandLine, type Given } from "./command-line.ts";
import { paint, paintStatus } from "./paint.ts";
import { clip } from "./plain-text.ts";

/**
 * What somebody has stopped of that which follows from a signature that has ended: it keeps it from settling until it is resumed. A
 * line each, with the command that does so.
 */
export function leftOpenLines({ open }: RunStatus, given: Given): string[] {
  const stopped = open.filter(({ status }) => status === "INTERRUPTED" || status === "SUSPENDED");
  return stopped.map(({ id, name, status }) => {
    const resume = commandLine(["resume", id], given);
    return `  ${paint("dim", "not settled")}  ${clip(name, 60)} is ${paintStatus(status)}, it goes on by: ${resume}`;
  });
}
