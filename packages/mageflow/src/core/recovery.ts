import type { Pace } from "./pace.ts";
import type { TaskSpec } from "./plan.ts";
import type { SignatureRecord, Stop } from "./record.ts";
import { isInCallback, type View } from "./view.ts";

/** What is to become of a task whose worker was lost. */
export type Recovery =
  /** It goes on: at `dueAt`, or at once. */
  | { readonly resume: true; readonly dueAt: number | null }
  /** It is parked: it stops where it is, as if it had been interrupted, and goes on when somebody resumes it. */
  | { readonly resume: false; readonly reason: string };

/** The actor of what is parked. */
const PARKER = "auto-resume";

/** Why a task is parked that the rules forbid to go on. */
export const OFF = "auto-resume is off for it";

export const AT_ONCE: Recovery = { resume: true, dueAt: null };

/** Which tasks go on by themselves when they have lost their worker, and when. Plain data: a worker leaves them to whoever finds it lost. */
export interface ResumeRules {
  readonly enabled: boolean;
  /** Names of the only tasks that do, or null. */
  readonly only: readonly string[] | null;
  /** Names of tasks that do not. */
  readonly except: readonly string[];
  /** How many go on a second, or null for all at once. */
  readonly stagger: Pace | null;
}

/** The rules of those who say nothing. */
export const ALL_RESUME: ResumeRules = { enabled: true, only: null, except: [], stagger: null };

/**
 * Why a task that has lost its worker does not go on by itself, as far as that shows without its code; null when it may. Callbacks and
 * cleanups, and what is inside them, go on whatever the rules and their own task say: what they follow has come to its end, and settles
 * by them.
 */
export function reasonToPark(
  view: View,
  record: SignatureRecord,
  { enabled, only, except }: ResumeRules,
): string | null {
  const { name } = record;
  const allowed = enabled && (only === null || only.includes(name)) && !except.includes(name);
  const own = (view.spec(record) as TaskSpec).autoResume !== false;
  return (own && allowed) || isInCallback(view, record) ? null : OFF;
}

/** The order by which such a task is stopped. What its worker did last is not known, so it has not stopped cleanly. */
export function parking({ now }: View, { reason }: Extract<Recovery, { readonly resume: false }>): Stop {
  return {
    verb: "interrupt",
    actor: PARKER,
    reason,
    by: null,
    own: true,
    until: now,
    clean: false,
    resumes: false,
    done: false,
  };
}

/** True for a task that was parked, and has not been resumed or cancelled since. */
export function isParked({ kind, status, stop }: SignatureRecord): boolean {
  const waits = kind === "task" && status === "INTERRUPTED" && stop?.verb === "interrupt" && !stop.resumes;
  return waits && stop.own && stop.actor === PARKER;
}
