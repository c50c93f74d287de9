import { InvalidArgumentError } from "commander";
import type { Status } from "mageflow";
import { commaList } from "./action.ts";

/** Reads an option that is a list of statuses in any case; the library refuses what is none. */
export function statusList(text: string, before: readonly Status[] = []): Status[] {
  const named = commaList(text).map((one) => one.toUpperCase());
  if (named.includes("MARKED_FOR_DELETION")) {
    throw new InvalidArgumentError(
      "MARKED_FOR_DELETION is a mark beside the status; `npx mageflow ps --marked` lists what has it",
    );
  }
  return [...before, ...named.map((one) => one as Status)];
}
