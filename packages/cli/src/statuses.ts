import type { Status } from "mageflow";
import { commaList } from "./action.ts";

/** Reads an option that is a list of statuses in any case; the library refuses what is none. */
export function statusList(text: string, before: readonly Status[] = []): Status[] {
  return [...before, ...commaList(text).map((one) => one.toUpperCase() as Status)];
}
