import type { StoredCause } from "./errors.ts";
import type { Recovery } from "./recovery.ts";
import type { Family, Milestone, SignatureRecord, Stop, Sweep } from "./record.ts";

/**
 * Deciders work like actors: a signature receives signals and answers with its next record, the signals that follow
 * for others, and new records. The runtime delivers signals in rounds inside one transaction until none is left.
 */
export type Signal =
  /** From whoever decides that it is its turn: parent, owner, submit, a due timer, a lifted suspension. */
  | { readonly type: "start" }
  /** It will never be reached. */
  | { readonly type: "skip" }
  /** Children or callbacks got beyond a milestone. All that arrive in one round come as one signal. */
  | { readonly type: "credit"; readonly credits: readonly Credit[] }
  /** `count` of the `limit` children or held signatures that were asked for by {@link Decision.take} got their signal. */
  | { readonly type: "took"; readonly what: Sweep; readonly count: number; readonly limit: number }
  /** Go on with the sweep that the record names. */
  | { readonly type: "sweep" }
  /** A started item was suspended: its slot is free. */
  | { readonly type: "released" }
  /** A suspended child may be started again, or something else may have to go on. */
  | { readonly type: "available" }
  /** Its counters were wrong, and are these. */
  | { readonly type: "recount"; readonly family: Family }
  | { readonly type: "suspend" }
  /**
   * Stop, whatever the status: what runs gets `grace` ms to end by itself. `by` is the container that waits to hear of it, or null;
   * `own` tells that it stops for itself all the same, and does not go on along with that container.
   */
  | {
      readonly type: "halt";
      readonly verb: Stop["verb"];
      readonly actor: string;
      readonly reason: string | null;
      readonly grace: number;
      readonly by: string | null;
      readonly own?: boolean;
    }
  /** What stops has no longer than until this instant to end by itself. */
  | { readonly type: "hasten"; readonly until: number }
  /**
   * What was told to stop by this one has, and what was to be cleaned up has been; or it has ended by itself, which the credit of the same
   * round tells before.
   */
  | { readonly type: "halted"; readonly verb: Stop["verb"]; readonly clean: boolean }
  /** Begin again, in the next generation; with another message when one is given. */
  | { readonly type: "rerun"; readonly message?: string }
  /** The container around it begins again: forget what was. */
  | { readonly type: "reset" }
  | {
      readonly type: "delete";
      readonly purgeAt: number;
      readonly by: string;
      readonly reason: string | null;
      readonly stub?: boolean;
    }
  | { readonly type: "restore" }
  | { readonly type: "extend"; readonly purgeAt: number }
  | { readonly type: "resume" }
  /** A worker takes the task. */
  | { readonly type: "claim"; readonly workerId: string }
  /** The end of an attempt, from the worker that holds `epoch`. */
  | { readonly type: "finish"; readonly epoch: number; readonly outcome: AttemptOutcome }
  /** The worker that holds `epoch` has stored a twin of the task. */
  | { readonly type: "attach"; readonly epoch: number }
  /** The worker that holds `epoch` hands the task back. */
  | { readonly type: "release"; readonly epoch: number }
  /** The worker that holds `epoch` is dead. It goes on at once if nothing else is said. */
  | { readonly type: "recover"; readonly epoch: number; readonly how?: Recovery }
  /** The time of a WAITING signature, or a task's deadline, has come. */
  | { readonly type: "due" }
  /** Items were stored for a swarm, in the slots from its total on. */
  | { readonly type: "add"; readonly count: number }
  /** No more items. */
  | { readonly type: "close" };

/** How an attempt ended. */
export type AttemptOutcome =
  | { readonly ok: true; readonly result: string }
  | {
      readonly ok: false;
      readonly cause: StoredCause;
      readonly terminal: boolean;
      /** Its code did not come to its end: it ignored the signal and may go on, or its thread or process has ended. */
      readonly abandoned?: boolean;
    };

/** `child`, as it is now, got beyond the milestone `from`. */
export interface Credit {
  readonly child: SignatureRecord;
  readonly from: Milestone;
}

export interface Addressed {
  readonly to: string;
  readonly signal: Signal;
}

/** What follows from signals to one signature. */
export interface Decision {
  readonly record: SignatureRecord;
  readonly send: readonly Addressed[];
  readonly insert: readonly SignatureRecord[];
  /** The next window of signatures to give a signal to: children to start or skip, or what this one holds. */
  readonly take: { readonly what: Sweep; readonly limit: number } | null;
}

const NOTHING: readonly never[] = [];

/** Nothing follows but the record. */
export function unchanged(record: SignatureRecord): Decision {
  return { record, send: NOTHING, insert: NOTHING, take: null };
}

/** `later` after `earlier`: the later record and take, everything sent and inserted by both. */
export function after(earlier: Decision, later: Decision): Decision {
  return {
    record: later.record,
    send: earlier.send.length === 0 ? later.send : [...earlier.send, ...later.send],
    insert: earlier.insert.length === 0 ? later.insert : [...earlier.insert, ...later.insert],
    take: later.take ?? earlier.take,
  };
}
