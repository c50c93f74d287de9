import { LOG_LEVELS, type LogLevel, type LogLine, type LogQuery, type LogRow } from "../../ports/store.ts";
import type { Connection, Parameter } from "./connection.ts";

const APPEND = `INSERT INTO logs (id, root_id, generation, attempt, at, level, message, fields)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

const LINES = "SELECT seq, id, root_id, generation, attempt, at, level, message, fields FROM logs";

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

/** Lines of a workflow that is being stored or removed are not shown. */
const SHOWN = "NOT EXISTS (SELECT 1 FROM drafts WHERE drafts.root_id = logs.root_id)";

const COUNT = `SELECT count(*) FROM (SELECT 1 FROM logs WHERE root_id = ? AND ${SHOWN} LIMIT ?)`;

/** Log lines, numbered over the whole store. */
export class LogTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  append({ id, rootId, generation, attempt, at, level, message, fields }: LogLine): void {
    this.#db.run(APPEND, id, rootId, generation, attempt, at, level, message, fields);
  }

  count(rootId: string, limit: number): number {
    return this.#db.get<[number]>(COUNT, rootId, limit)![0];
  }

  read(query: LogQuery): LogRow[] {
    const { sql, parameters } = reading(query);
    return this.#db.all<Line>(sql, ...parameters).map(toLogRow);
  }
}

/** The statement of a query: the filters that are given, oldest first. */
function reading({ id, rootId, level, contains, after, limit }: LogQuery): {
  sql: string;
  parameters: Parameter[];
} {
  const conditions = ["seq > ?", SHOWN];
  const parameters: Parameter[] = [after];
  const where = (condition: string, given: Parameter): void => {
    conditions.push(condition);
    parameters.push(given);
  };
  if (id !== undefined) where("id = ?", id);
  // The plus keeps this a filter: with an id, the lines of the signature are fewer than those of the workflow.
  if (rootId !== undefined) where(id === undefined ? "root_id = ?" : "+root_id = ?", rootId);
  if (level !== undefined)
    where("level IN (SELECT value FROM json_each(?))", JSON.stringify(andAbove(level)));
  if (contains !== undefined) where("instr(message, ?) > 0", contains);
  return {
    sql: `${LINES} WHERE ${conditions.join(" AND ")} ORDER BY seq LIMIT ?`,
    parameters: [...parameters, limit],
  };
}

function andAbove(level: LogLevel): readonly LogLevel[] {
  return LOG_LEVELS.slice(LOG_LEVELS.indexOf(level));
}

function toLogRow([seq, id, rootId, generation, attempt, at, level, message, fields]: Line): LogRow {
  return { id, rootId, generation, attempt, at, level, message, fields, seq };
}
