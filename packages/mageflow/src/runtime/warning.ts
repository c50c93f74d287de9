import type { SignatureRecord } from "../core/record.ts";
import { ClosedError, describeThrown, type StoredCause, StoreError } from "../core/errors.ts";
import { UnreadableError, warnOfLeftOut } from "../ports/unreadable.ts";

/**
 * Tells the people who run the process of a fault that nobody waits for. A store that refuses for a while is no such fault: what
 * it refused is asked for again.
 */
export function warn(error: unknown): void {
  if (error instanceof UnreadableError) return warnOfLeftOut(error);
  if (error instanceof StoreError || error instanceof ClosedError) return;
  const told = describeThrown(error);
  const stacks: string[] = [];
  for (let at: StoredCause | undefined = told; at !== undefined; at = at.cause) {
    stacks.push(at.stack ?? `${at.name}: ${at.message}`);
  }
  process.emitWarning(`${told.name}: ${told.message}`, {
    type: "MageFlowWarning",
    detail: stacks.join("\ncaused by "),
  });
}

/** The store refuses what has to be done, which nobody may be waiting for. */
export function warnOfOutage({ code, message }: StoreError): void {
  process.emitWarning(
    `the store does nothing for this process (${message}); it is asked again until it does`,
    { type: "MageFlowWarning", code },
  );
}

/** Tells them that something had no reason to wait, which only a bug or a hand in the store can bring about. */
export function warnOfMended(mended: readonly SignatureRecord[]): void {
  const [first] = mended;
  if (first === undefined) return;
  const more = mended.length === 1 ? "" : ` and ${mended.length - 1} more`;
  process.emitWarning(
    `"${first.id}"${more} would have waited for ever (${first.status}) and was made to go on; please report this, with what came before`,
    { type: "MageFlowWarning" },
  );
}

/** The store's clock was set, so that nothing is removed for a while. */
export function warnOfJump(by: number): void {
  const minutes = Math.round(by / 60_000);
  process.emitWarning(
    `the store's clock moved by ${minutes} minutes against this process's; nothing is purged for an hour, check the clock`,
    { type: "MageFlowWarning" },
  );
}
