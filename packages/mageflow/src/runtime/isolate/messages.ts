import type { AttemptOutcome } from "../../core/signal.ts";
import type { LogLevel, Notes } from "../../ports/store.ts";
import type { Assignment } from "../assignment.ts";
import type { Twin } from "../twin.ts";
import type { CarriedError } from "./carried-error.ts";

/** What is said between a worker and its isolates. All of it is data that can be cloned; payloads are JSON texts. */

/** From the worker. An isolate has one attempt at a time. */
export type Order =
  | { readonly type: "begin"; readonly work: Work }
  | { readonly type: "abort"; readonly reason: CarriedError }
  | { readonly type: "answer"; readonly to: number; readonly answer: Answer };

/** What an isolate needs to run an attempt. */
export interface Work {
  readonly module: string;
  readonly assignment: Assignment;
  readonly notes: Notes | null;
  /** Milliseconds that code which was told to stop may take. */
  readonly grace: number;
}

/** From the isolate. */
export type Report =
  /** Said before any code of the task is loaded: whatever ends the isolate from now on may be its doing. */
  | { readonly type: "begun" }
  | {
      readonly type: "log";
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: string | null;
    }
  | { readonly type: "ask"; readonly number: number; readonly question: Question }
  /** The code has ended, and what it has deferred begins. */
  | { readonly type: "tidies" }
  /** The attempt is decided. A `spent` isolate cannot be used again: code of it may go on. */
  | { readonly type: "over"; readonly outcome: AttemptOutcome; readonly spent: boolean }
  /** Said after that: whether the attempt has left anything behind that goes on. */
  | { readonly type: "quiet"; readonly quiet: boolean };

/** What task code asks of its worker. */
export type Question =
  | { readonly what: "step"; readonly name: string; readonly result: string }
  | { readonly what: "checkpoint"; readonly body: string }
  | { readonly what: "progress"; readonly fraction: number; readonly note: string | null }
  | { readonly what: "twin"; readonly mark: string; readonly twin: Twin }
  | {
      readonly what: "launch";
      /** JSON texts. */
      readonly plan: string;
      readonly message: string | null;
      readonly key: string | null;
    }
  /** A method of a handle that was given for `launch`. */
  | {
      readonly what: "call";
      readonly id: string;
      readonly method: string;
      readonly given: readonly unknown[];
    };

export type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: CarriedError };
