import { InvalidPlanError, MageFlowError } from "./errors.ts";
import { inWords } from "./in-words.ts";

/** The names of all options in `T`: the compiler asks for a new one here. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** What is wrong with the options that somebody gives to `what`, or null: they are no object, or one is not known. */
export function misgiven(
  options: unknown,
  known: Readonly<Record<string, true>>,
  what: string,
): string | null {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    return `the options of ${what} are ${inWords(options)}; give an object`;
  }
  const stranger = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (stranger === undefined) return null;
  return `${what} has no option ${inWords(stranger)}; it has ${Object.keys(known).join(", ")}`;
}

/** @throws InvalidPlanError (`INVALID_PLAN`) for options that are {@link misgiven}. */
export function requireOptions(options: unknown, known: Readonly<Record<string, true>>, what: string): void {
  const wrong = misgiven(options, known, what);
  if (wrong !== null) throw new InvalidPlanError(wrong);
}

/** The same of a call that makes no plan. @throws MageFlowError (`INVALID_ARGUMENT`) for options that are {@link misgiven}. */
export function requireArguments(
  options: unknown,
  known: Readonly<Record<string, true>>,
  what: string,
): void {
  const wrong = misgiven(options, known, what);
  if (wrong !== null) throw new MageFlowError("INVALID_ARGUMENT", wrong);
}
