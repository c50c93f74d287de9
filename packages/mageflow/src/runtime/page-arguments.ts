import { MageFlowError } from "../core/errors.ts";
import { inWords } from "../core/in-words.ts";
import { invalidArgument } from "../core/invalid-argument.ts";
import { type OptionNames, requireArguments } from "../core/known-options.ts";
import { type Status, STATUSES } from "../core/status.ts";
import { someOf } from "./filter-arguments.ts";

/** Signatures or workers on one page. */
export const MOST_ROWS = 500;
/** Log lines on one page. */
export const MOST_LINES = 1_000;
/** Rows of a page when nobody says how many. */
const ROWS = 100;

/** Which page. */
export interface PageOptions {
  cursor?: string;
  limit?: number;
  /** Only what has one of these. */
  status?: Status | readonly Status[];
}

const PAGE_OPTIONS: OptionNames<PageOptions> = { cursor: true, limit: true, status: true };

/**
 * Rows of the page (at most {@link MOST_ROWS}), what it comes after, and which statuses; `read` is that of {@link readCursor}.
 *
 * @throws MageFlowError (`INVALID_ARGUMENT`)
 */
export function readPage<P>(
  page: PageOptions,
  read: (text: string) => P | null,
): { limit: number; after: P | null; statuses?: readonly Status[] } {
  requireArguments(page, PAGE_OPTIONS, "a page");
  const { status } = page;
  return {
    limit: readLimit(page.limit, MOST_ROWS),
    after: readCursor(page.cursor, read),
    ...(status === undefined ? {} : { statuses: someOf("status", status, STATUSES) }),
  };
}

/** @throws MageFlowError (`INVALID_ARGUMENT`) */
export function readLimit(limit: unknown, most: number): number {
  if (limit === undefined) return ROWS;
  if (typeof limit === "number" && Number.isInteger(limit) && limit >= 1 && limit <= most) return limit;
  throw invalidArgument("limit", limit, `a whole number from 1 to ${most}`);
}

/**
 * The position that a cursor stands for, or null for the first page; `read` gives null for a text that is no cursor.
 *
 * @throws MageFlowError (`INVALID_ARGUMENT`)
 */
export function readCursor<P>(cursor: unknown, read: (text: string) => P | null): P | null {
  if (cursor === undefined) return null;
  const position = typeof cursor === "string" ? read(cursor) : null;
  if (position !== null) return position;
  const message = `${inWords(cursor)} is not a cursor; pass back \`next\` of the page before`;
  throw new MageFlowError("INVALID_ARGUMENT", message);
}

/** The `seq` after which to go on. @throws MageFlowError (`INVALID_ARGUMENT`) */
export function readSeq(seq: unknown, what: string): number {
  if (typeof seq === "number" && Number.isSafeInteger(seq) && seq >= 0) return seq;
  throw invalidArgument(what, seq, "the `seq` of the last one that was seen, or 0");
}
