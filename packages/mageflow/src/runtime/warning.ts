import { ClosedError, describeThrown, StoreError } from "../core/errors.ts";

/**
 * Tells the people who run the process of a fault that nobody waits for. A store that refuses for a while is no such fault: what
 * it refused is asked for again.
 */
export function warn(error: unknown): void {
  if (error instanceof StoreError || error instanceof ClosedError) return;
  const { name, message, stack } = describeThrown(error);
  process.emitWarning(`${name}: ${message}`, {
    type: "MageFlowWarning",
    ...(stack === undefined ? {} : { detail: stack }),
  });
}
