import { type OptionNames, requireArguments } from "../core/known-options.ts";
import { LOG_LEVELS, type LogQuery } from "../ports/store.ts";
import { someOf, text } from "./filter-arguments.ts";
import { MOST_LINES, readLimit, readSeq } from "./page-arguments.ts";

const FILTERS: OptionNames<LogQuery> = {
  id: true,
  rootId: true,
  level: true,
  contains: true,
  after: true,
  limit: true,
};

/** What a store is asked for log lines. @throws MageFlowError (`INVALID_ARGUMENT`) for a filter that cannot be meant. */
export function logQuery(filter: Partial<LogQuery>): LogQuery {
  requireArguments(filter, FILTERS, "a look at logs");
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
