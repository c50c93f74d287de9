import { InvalidPlanError } from "./errors.ts";
import { inWords } from "./in-words.ts";

/** Names something: every store keeps it bytewise, and a terminal shows it as it is. */
export function isLabel(text: unknown): text is string {
  return (
    typeof text === "string" &&
    text !== "" &&
    text.length <= 256 &&
    text.isWellFormed() &&
    !/\p{Cc}/u.test(text)
  );
}

/** What {@link isLabel} takes, for a message. */
export const A_LABEL = "a text of 1 to 256 characters without control characters";

/** @throws InvalidPlanError (`INVALID_PLAN`) for a key that is no label. */
export function requireKey(key: unknown): void {
  if (!isLabel(key)) throw new InvalidPlanError(`a key must be ${A_LABEL}, not ${inWords(key)}`);
}

/** @throws InvalidPlanError (`INVALID_PLAN`) for a name that is no label. */
export function requireName(name: unknown, what: string): void {
  if (!isLabel(name))
    throw new InvalidPlanError(`the name of a ${what} must be ${A_LABEL}, not ${inWords(name)}`);
}
