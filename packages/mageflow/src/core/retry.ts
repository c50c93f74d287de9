import { type Duration, milliseconds } from "./duration.ts";
import { InvalidPlanError } from "./errors.ts";
import { inWords } from "./in-words.ts";
import { type OptionNames, requireOptions } from "./known-options.ts";
import { spread } from "./spread.ts";

/** How long to wait between attempts. */
export interface Backoff {
  type: "exponential" | "fixed";
  /** Wait before the second attempt. Default `"1s"`. */
  delay?: Duration;
  /** Longest wait. Default `"1m"` for exponential, the delay for fixed. */
  max?: Duration;
  /** `full` draws uniformly between 0 and the wait, `none` waits exactly. Default `full` for exponential, `none` for fixed. */
  jitter?: "full" | "none";
}

/** When a failed attempt is tried again. */
export interface Retry {
  /** Attempts in all, the first included. Default 1: no retry. */
  attempts?: number;
  /** Default `exponential` from 1 s to 1 m with full jitter; `fixed` waits 1 s exactly. */
  backoff?: "exponential" | "fixed" | Backoff;
}

/** A {@link Retry} with its defaults filled in and durations in milliseconds, as it is stored. */
export interface RetryPolicy {
  attempts: number;
  type: "exponential" | "fixed";
  delay: number;
  max: number;
  jitter: "full" | "none";
}

const RETRY: OptionNames<Retry> = { attempts: true, backoff: true };
const BACKOFF: OptionNames<Backoff> = { type: true, delay: true, max: true, jitter: true };

/** @throws InvalidPlanError (`INVALID_PLAN`) for fewer than one attempt, a bad duration, or what is no object. */
export function retryPolicy(retry: Retry | undefined): RetryPolicy {
  if (retry !== undefined) requireOptions(retry, RETRY, "retry");
  const attempts = retry?.attempts ?? 1;
  if (!Number.isInteger(attempts) || attempts < 1) {
    throw new InvalidPlanError(
      `retry.attempts is ${inWords(attempts)}; give a whole number from 1 (attempts in all)`,
    );
  }
  const given = retry?.backoff ?? "exponential";
  const backoff: Backoff = typeof given === "string" ? { type: given } : given;
  requireOptions(backoff, BACKOFF, "retry.backoff");
  if (backoff.type !== "exponential" && backoff.type !== "fixed") {
    const what = typeof given === "string" ? "retry.backoff" : "retry.backoff.type";
    throw new InvalidPlanError(`${what} is ${inWords(backoff.type)}; give "exponential" or "fixed"`);
  }
  const delay = milliseconds(backoff.delay ?? 1_000, "retry.backoff.delay");
  const jitter = backoff.jitter ?? (backoff.type === "fixed" ? "none" : "full");
  if (jitter !== "full" && jitter !== "none") {
    throw new InvalidPlanError(`retry.backoff.jitter is ${inWords(jitter)}; give "full" or "none"`);
  }
  return {
    attempts,
    type: backoff.type,
    delay,
    max: milliseconds(backoff.max ?? (backoff.type === "fixed" ? delay : 60_000), "retry.backoff.max"),
    jitter,
  };
}

/**
 * Milliseconds to wait after attempt number `attempt` (from 1) failed. Exponential doubles from `delay`; full jitter
 * is the variant of https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ that spreads a crowd
 * of failures best. The draw is a function of the signature and the attempt, see {@link spread}.
 */
export function backoffMs(policy: RetryPolicy, attempt: number, signature: string): number {
  const grown = policy.type === "fixed" ? policy.delay : policy.delay * 2 ** Math.min(attempt - 1, 40);
  const wait = Math.min(policy.max, grown);
  return policy.jitter === "none" ? wait : Math.floor(wait * spread(`${signature}#${attempt}`));
}
