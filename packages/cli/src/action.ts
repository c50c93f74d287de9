import { type Command, InvalidArgumentError } from "commander";
import type { Duration } from "mageflow";

/** Options that every command has. */
export interface Globals {
  readonly json: boolean;
  readonly store: string | undefined;
  readonly cache: string | undefined;
  readonly verbose: boolean;
  /** The words of the command line, for hints that repeat it. */
  readonly typed: readonly string[];
}

/** What a command does, given its arguments and options; the number is its exit code. */
export type Work<A extends readonly unknown[], O> = (args: A, options: O & Globals) => Promise<number>;

export function action<A extends readonly unknown[], O = unknown>(
  work: Work<A, O>,
): (this: Command) => Promise<void> {
  return async function (this: Command) {
    const { json = false, verbose = false, store, ...rest } = this.optsWithGlobals<O & Partial<Globals>>();
    process.exitCode = await work(
      this.processedArgs as unknown as A,
      { ...rest, json, verbose, store, typed: process.argv.slice(2) } as O & Globals,
    );
  };
}

/** Reads an option that is a whole number from `least` on, or up to `most`. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      const end = most === Number.MAX_SAFE_INTEGER ? "" : ` to ${most}`;
      throw new InvalidArgumentError(`give a whole number from ${least}${end}`);
    }
    return value;
  };
}

/** Reads an option that is a length of time. */
export function duration(text: string): Duration {
  if (!/^\d+(\.\d+)?(ms|s|m|h|d)$/.test(text)) {
    throw new InvalidArgumentError("write it as in 250ms, 5s, 2m, 1h or 7d");
  }
  return text as Duration;
}

/** Reads an option that is a list with commas; given twice, it adds up. */
export function commaList(text: string, before: readonly string[] = []): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw new InvalidArgumentError("give names with commas between them");
  return [...before, ...names];
}
