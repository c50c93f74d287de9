import { stripVTControlCharacters } from "node:util";

/** Columns that a line on stdout has; no end of them when that is no terminal, so that nothing is cut for programs. */
export function screenWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY;
}

/** Characters of a painted text that are seen. */
export function shownLength(text: string): number {
  return stripVTControlCharacters(text).length;
}
