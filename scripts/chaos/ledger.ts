import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import type { Word } from "./orders.ts";

/** What happened, told by those it happened to. `dead` is told of a process by the one that killed it. */
export type What =
  | "start"
  | "end"
  | "fail"
  | "released"
  | "heeded"
  | "left"
  | "stepRun"
  | "stepDone"
  | "launched"
  | "dead"
  | "frozen"
  | "asked"
  | "told";

/** One line of the ledger. */
export interface Row {
  readonly what: What;
  readonly pid: number;
  readonly id?: string;
  readonly generation?: number;
  readonly attempt?: number;
  readonly epoch?: number;
  readonly key?: string;
  readonly step?: string;
  /** Epoch of the run whose result of a step was handed out. */
  readonly of?: number;
  /** Which signature and which of its epochs the input came from. */
  readonly gotBy?: string;
  readonly gotEpoch?: number;
  /** What a callback was told that it follows. */
  readonly cause?: { readonly id: string; readonly outcome: string };
  /** Of the last edit that its input has been through. */
  readonly mark?: number;
  /** Epoch milliseconds, where they matter. */
  readonly at?: number;
  /** What the steerer was about to ask for, or was told. */
  readonly word?: Word;
}

/**
 * Effects, counted outside MageFlow. Rows are appended whole by one `write` each, so that a kill tears none and the
 * file has all processes' rows in the order in which they happened.
 */
export interface Ledger {
  add(row: Row): void;
  close(): void;
}

export function openLedger(path: string): Ledger {
  const file = openSync(path, "a");
  return {
    add: (row) => void writeSync(file, `${JSON.stringify(row)}\n`),
    close: () => closeSync(file),
  };
}

/** The rows as far as they are complete: behind the last end of a line, a row may be just being written. */
export function readLedger(path: string): Row[] {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Row);
}
