/** What the steerer asks for. `wait` asks for nothing: it lets a workflow come to its end. */
export type Verb =
  | "submit"
  | "start"
  | "suspend"
  | "resume"
  | "interrupt"
  | "cancel"
  | "delete"
  | "restore"
  | "extend"
  | "purge"
  | "rerun"
  | "lock"
  | "release"
  | "edit"
  | "add"
  | "close"
  | "wait";

/** One thing that is asked of a workflow, or of a part of it. */
export interface Order {
  readonly verb: Verb;
  /** Under the root: "" is the root itself, "1.0" the first child of its second. */
  readonly path?: string;
  /** Of `interrupt` and `cancel`: the grace. Of `delete`, `extend` and `lock`: the span. In ms. */
  readonly ms?: number;
  /** Of `edit`: what the inputs of all these parts are marked with, in one batch. */
  readonly mark?: number;
  readonly paths?: readonly string[];
  /** Of `add`: keys of the items. */
  readonly keys?: readonly string[];
}

/** An order on its way, in the ledger before it is given and after it was answered. `at` is how far the history went then. */
export interface Word extends Order {
  readonly story: number;
  /** Which order of which beat of the story. */
  readonly beat: number;
  readonly nth: number;
  readonly rootId: string;
  readonly at: number;
  /** Done, or the code of the refusal. */
  readonly answer?: string;
  /** When it was answered, and, of a lock, when that expires: epoch milliseconds. */
  readonly now?: number;
  readonly until?: number;
}

export const DONE = "done";

export function idOf(rootId: string, path: string | undefined): string {
  return path === undefined || path === "" ? rootId : `${rootId}.${path}`;
}
