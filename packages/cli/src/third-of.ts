import type { Duration } from "mageflow";

/** A third of a duration. What is no duration comes back as it is: the library says what is wrong with it. */
export function thirdOf(duration: Duration): Duration {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(duration)) ?? [];
  if (amount === undefined) return duration;
  return `${Number((Number(amount) / 3).toFixed(3))}${unit}` as Duration;
}
