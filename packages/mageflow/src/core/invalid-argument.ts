import { MageFlowError } from "./errors.ts";
import { inWords } from "./in-words.ts";

/** An argument of a call that it cannot use (`INVALID_ARGUMENT`), and what it takes. */
export function invalidArgument(what: string, given: unknown, accepted: string): MageFlowError {
  return new MageFlowError("INVALID_ARGUMENT", `${what} is ${inWords(given)}; give ${accepted}`);
}
