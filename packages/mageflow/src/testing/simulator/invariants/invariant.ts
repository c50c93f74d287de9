import type { SeenCommit, Shadow } from "../shadow.ts";

/** A violated invariant. */
export interface Violation {
  readonly invariant: string;
  readonly what: string;
}

export type Report = (what: string) => void;

/** Checked after every commit on what it changed, and at the end over everything. */
export interface Invariant {
  readonly name: string;
  readonly check?: (shadow: Shadow, commit: SeenCommit, report: Report) => void;
  readonly end?: (shadow: Shadow, report: Report) => void;
}
