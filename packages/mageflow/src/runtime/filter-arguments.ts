import { MageFlowError } from "../core/errors.ts";
import { inWords } from "../core/in-words.ts";
import { invalidArgument } from "../core/invalid-argument.ts";

/** One or several of the values that there are. @throws MageFlowError (`INVALID_ARGUMENT`) */
export function someOf<T extends string>(what: string, given: unknown, known: readonly T[]): readonly T[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  for (const one of list) {
    if (!known.includes(one as T)) {
      const message = `there is no ${what} ${inWords(one)}; give one of ${known.join(", ")}`;
      throw new MageFlowError("INVALID_ARGUMENT", message);
    }
  }
  return list as readonly T[];
}

/** One or several texts. @throws MageFlowError (`INVALID_ARGUMENT`) */
export function texts(what: string, given: unknown): readonly string[] {
  return (Array.isArray(given) ? given : [given]).map((one: unknown) => text(what, one));
}

/** @throws MageFlowError (`INVALID_ARGUMENT`) */
export function text(what: string, given: unknown): string {
  if (typeof given === "string") return given;
  throw invalidArgument(what, given, "a text");
}

/** @throws MageFlowError (`INVALID_ARGUMENT`) */
export function flag(what: string, given: unknown): boolean {
  if (typeof given === "boolean") return given;
  throw invalidArgument(what, given, "true or false");
}
