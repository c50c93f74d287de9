import type { MageFlow, Run, SignatureView } from "mageflow";
import type { Quote } from "./plain-text.ts";
import { span } from "./span.ts";

export interface TellOptions {
  readonly mage: MageFlow;
  readonly say: (line: string) => void;
  readonly quote: Quote;
  /** Ends the telling. */
  readonly signal: AbortSignal;
}

/**
 * Tells of the attempts that fail in one workflow, those that will be tried again too, from after `since` until it is settled. Returns the
 * number of the last event that it has seen, or `since`.
 */
export async function tellFailures(
  run: Run,
  since: number | null,
  options: TellOptions,
): Promise<number | null> {
  const { mage, say, quote, signal } = options;
  let last = since;
  try {
    for await (const { seq, id, type, attempt } of run.events(since === null ? {} : { since })) {
      if (signal.aborted) break;
      last = seq;
      if (type !== "failed" && type !== "retrying") continue;
      const view = await (await mage.get(id)).view();
      if (view.kind === "task")
        say(failureLine(view, { attempt, final: type === "failed", now: Date.now(), quote }));
    }
  } catch {
    // What cannot be read any more is not told of; the run itself says what is wrong with the store.
  }
  return last;
}

/** `resize 01jd….0.3: attempt 2 failed, the next one in 4.0s: TypeError: …` */
export function failureLine(
  { id, name, error, dueAt }: SignatureView,
  { attempt, final, now, quote }: { attempt: number; final: boolean; now: number; quote: Quote },
): string {
  // The journal tells of a retry with the attempt that follows.
  const failed = final ? `failed in attempt ${attempt}` : `attempt ${attempt - 1} failed`;
  const next = final
    ? ""
    : `, the next one ${dueAt !== null && dueAt > now ? `in ${span(dueAt - now)}` : "now"}`;
  const why = error === null ? "" : `: ${quote(error.name, 100)}: ${quote(error.message, 500)}`;
  return `${quote(name, 100)} ${id} ${failed}${next}${why}`;
}
