import { LOG_LEVELS, type LogLevel, type LogLine, type LogQuery, type LogRow } from "../../ports/store.ts";
import { arrayOf, textArray } from "./arrays.ts";
import type { Connection, Parameter } from "./connection.ts";
import { fromSafe, toSafe } from "../safe-text.ts";
import { shown } from "./visible.ts";

/** Numbered in their order. */
const APPEND = `INSERT INTO logs (id, root_id, generation, attempt, at, level, message, fields)
  SELECT id, root_id, generation, attempt, at, level, message, fields
  FROM unnest($1::text[], $2::text[], $3::int4[], $4::int4[], $5::int8[], $6::text[], $7::text[], $8::text[]) WITH ORDINALITY
    AS line (id, root_id, generation, attempt, at, level, message, fields, n)
  ORDER BY n`;

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

const LINES = "SELECT seq, id, root_id, generation, attempt, at, level, message, fields FROM logs";

const SHOWN = shown("logs");

const COUNT = `SELECT count(*)::int FROM (SELECT FROM logs WHERE root_id = $1 AND ${SHOWN} LIMIT $2) AS counted`;

/** Log lines, numbered over the whole store. */
export class LogTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Whoever reads those of a workflow page by page misses none, if nobody else adds any before this transaction has ended. */
  append(lines: readonly LogLine[]): Promise<unknown>[] {
    if (lines.length === 0) return [];
    return [
      this.#db.all(
        APPEND,
        textArray(lines.map(({ id }) => id)),
        textArray(lines.map(({ rootId }) => rootId)),
        arrayOf(
          "int4",
          lines.map(({ generation }) => generation),
        ),
        arrayOf(
          "int4",
          lines.map(({ attempt }) => attempt),
        ),
        arrayOf(
          "int8",
          lines.map(({ at }) => at),
        ),
        textArray(lines.map(({ level }) => level)),
        textArray(lines.map(({ message }) => toSafe(message))),
        textArray(lines.map(({ fields }) => fields)),
      ),
    ];
  }

  async count(rootId: string, limit: number): Promise<number> {
    return (await this.#db.get<[number]>(COUNT, rootId, limit))![0];
  }

  async read(query: LogQuery): Promise<LogRow[]> {
    const { sql, parameters } = reading(query);
    return (await this.#db.once<Line>(sql, parameters)).map(toLogRow);
  }
}

/** The statement of a query: the filters that are given, oldest first. */
function reading({ id, rootId, level, contains, after, limit }: LogQuery): {
  sql: string;
  parameters: Parameter[];
} {
  const conditions = ["seq > $1", SHOWN];
  const parameters: Parameter[] = [after];
  const where = (condition: string, given: Parameter): void => {
    conditions.push(condition.replace("?", `$${parameters.push(given)}`));
  };
  if (id !== undefined) where("id = ?", toSafe(id));
  // Computed, so that no index is for it: with an id, the lines of the signature are fewer than those of the workflow.
  if (rootId !== undefined) where(id === undefined ? "root_id = ?" : "root_id || '' = ?", toSafe(rootId));
  if (level !== undefined) where("level = ANY (?::text[])", textArray(andAbove(level)));
  if (contains !== undefined) where("strpos(message, ?) > 0", toSafe(contains));
  return {
    sql: `${LINES} WHERE ${conditions.join(" AND ")} ORDER BY seq LIMIT $${parameters.push(limit)}`,
    parameters,
  };
}

function andAbove(level: LogLevel): readonly LogLevel[] {
  return LOG_LEVELS.slice(LOG_LEVELS.indexOf(level));
}

function toLogRow([seq, id, rootId, generation, attempt, at, level, message, fields]: Line): LogRow {
  return { id, rootId, generation, attempt, at, level, message: fromSafe(message), fields, seq };
}
