import { type OptionNames, requireArguments } from "../core/known-options.ts";
import { LOG_LEVELS, type LogQuery } from "../ports/store.ts";
import { someOf, text } from "./filter-arguments.ts";
import { MOST_LINES, readLimit, readSeq } from "./page-arguments.ts";

const FILTERS: OptionNames<Omit<LogQuery, "id" | "rootId">> = {
  level: true,
  contains: true,
  after: true,
  limit: true,
};

/** Of all logs. */
export const ALL_LOGS: OptionNames<LogQuery> = { id: true, rootId: true, ...FILTERS };
/** Of those of one signature, or with `inside` of its workflow. */
export const LOGS_OF_ONE: OptionNames<Omit<LogQuery, "id" | "rootId"> & { inside: boolean }> = {
  inside: true,
  ...FILTERS,
};

/**
 * What a store is asked for log lines; `known` are the options that the caller takes.
 *
 * @throws MageFlowError (`INVALID_ARGUMENT`) for a filter that cannot be meant.
 */
export function logQuery(filter: Partial<LogQuery>, known: Readonly<Record<string, true>>): LogQuery {
  requireArguments(filter, known, "a look at logs");
  const { id, rootId, level, contains, after = 0, limit } = filter;
  return {
    ...(id === undefined ? {} : { id: text("id", id) }),
    ...(rootId === undefined ? {} : { rootId: text("rootId", rootId) }),
    ...(level === undefined ? {} : { level: someOf("level", level, LOG_LEVELS)[0]! }),
    ...(contains === undefined ? {} : { contains: text("contains", contains) }),
    after: readSeq(after, "after"),
    limit: readLimit(limit, MOST_LINES),
  };
}
