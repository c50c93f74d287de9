import { openSync, writeSync } from "node:fs";
import type { Json } from "mageflow";

/** What a story asks for, one after the other. `end` waits until all of its workflow has settled. */
export type Verb =
  | "create"
  | "submit"
  | "start"
  | "suspend"
  | "resume"
  | "interrupt"
  | "add"
  | "close"
  | "end"
  | "delete"
  | "restore"
  | "rerun"
  | "purge"
  | "cancel";

/** A line: what a story is about to ask for, or what it was told; or that a step of a task is stored. */
export interface Line {
  readonly story: string;
  readonly what: "asks" | "told" | "step";
  readonly verb?: Verb;
  /** Of the workflow. */
  readonly id?: string;
  /** What was added. */
  readonly child?: string;
  /** What `end` has seen. */
  readonly outcome?: Json;
  readonly step?: string;
}

export type Write = (line: Line) => void;

/** Each line is one `write`: it is there as soon as this returns, whatever becomes of the process. */
export function openDiary(path: string): Write {
  const file = openSync(path, "a");
  return (line) => void writeSync(file, `${JSON.stringify(line)}\n`);
}

export function readDiary(text: string): Line[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}
