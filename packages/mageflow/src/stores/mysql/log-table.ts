import { LOG_LEVELS, type LogLevel, type LogLine, type LogQuery, type LogRow } from "../../ports/store.ts";
import { fromSafe, toSafe } from "../safe-text.ts";
import { text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { fill, list, type Parameter, rows } from "./literals.ts";
import { shown } from "./visible.ts";

/** Numbered in their order. */
const APPEND =
  "INSERT INTO mageflow_logs (id, root_id, generation, attempt, at, level, message, fields) VALUES $1";

type Line = [
  seq: number,
  id: string,
  rootId: string,
  generation: number,
  attempt: number,
  at: number,
  level: LogLevel,
  message: string,
  fields: string | null,
];

const LINES = `SELECT s.seq, ${text("s.id")}, ${text("s.root_id")}, s.generation, s.attempt, s.at, ${text("s.level")},
  s.message, s.fields FROM mageflow_logs AS s`;

const SHOWN = shown("s");

const COUNT = `SELECT COUNT(*) FROM (SELECT 1 FROM mageflow_logs AS s FORCE INDEX (of_root) WHERE s.root_id = $1
  AND (SELECT begun_at FROM mageflow_drafts WHERE mageflow_drafts.root_id = $1) IS NULL LIMIT $2) AS counted`;

/** Log lines, numbered over the whole store. */
export class LogTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Whoever reads those of a workflow page by page misses none, if nobody else adds any before this transaction has ended. */
  append(lines: readonly LogLine[]): Promise<unknown>[] {
    const all = lines.map(({ id, rootId, generation, attempt, at, level, message, fields }) => [
      id,
      rootId,
      generation,
      attempt,
      at,
      level,
      toSafe(message),
      fields,
    ]);
    return rows(all).map((some) => this.#db.later(APPEND, some));
  }

  async count(rootId: string, limit: number): Promise<number> {
    return (await this.#db.get<[number]>(COUNT, rootId, limit))![0];
  }

  async read(query: LogQuery): Promise<LogRow[]> {
    return (await this.#db.all<Line>(reading(query))).map(toLogRow);
  }
}

/** The statement of a query: the filters that are given, oldest first. */
function reading({ id, rootId, level, contains, after, limit }: LogQuery): string {
  // With an id, the lines of the signature are fewer than those of the workflow.
  const index = id !== undefined ? "of_signature" : rootId !== undefined ? "of_root" : "PRIMARY";
  const conditions: string[] = [];
  const where = (condition: string, given: Parameter): void => void conditions.push(fill(condition, [given]));
  where("s.seq > $1", after);
  if (id !== undefined) where("s.id = $1", toSafe(id));
  if (rootId !== undefined) where("s.root_id = $1", toSafe(rootId));
  if (level !== undefined) where("s.level IN $1", list(andAbove(level)));
  if (contains !== undefined) where("LOCATE($1, s.message) > 0", toSafe(contains));
  conditions.push(SHOWN);
  return `${LINES} FORCE INDEX (${index}) WHERE ${conditions.join(" AND ")} ORDER BY s.seq ${fill("LIMIT $1", [limit])}`;
}

function andAbove(level: LogLevel): readonly LogLevel[] {
  return LOG_LEVELS.slice(LOG_LEVELS.indexOf(level));
}

function toLogRow([seq, id, rootId, generation, attempt, at, level, message, fields]: Line): LogRow {
  return { id, rootId, generation, attempt, at, level, message: fromSafe(message), fields, seq };
}
