import { type Status, STATUSES } from "../../core/status.ts";
import type { ListQuery } from "../../ports/store.ts";
import type { Connection, Parameter } from "./connection.ts";
import { COLUMNS, type Row } from "./row.ts";

/** Where a statement looks, and the order in which it finds newest first there. */
interface Source {
  readonly from: string;
  readonly createdAt: string;
  readonly id: string;
}

const SIGNATURES: Source = { from: "shown", createdAt: "created_at", id: "id" };

/** Roots with a tag, which stand in the order of the list. */
function taggedWith(tag: string): Source {
  return {
    from: `(SELECT created_at AS tagged_at, root_id AS tagged_id FROM root_tags WHERE tag = ${tag})
      CROSS JOIN shown ON id = tagged_id`,
    createdAt: "tagged_at",
    id: "tagged_id",
  };
}

/** The latest instant before another at which something of a workflow was stored. */
const BIRTH_BEFORE = `SELECT max(created_at) FROM (
    SELECT max(created_at) AS created_at FROM births WHERE root_id = ?1 AND created_at < ?2
    UNION ALL
    SELECT created_at FROM signatures WHERE id = ?1 AND created_at < ?2
  )`;

/** Signatures, newest first, then by id backwards. */
export class Newest {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  list(query: ListQuery): Row[] {
    return query.rootId === undefined ? this.#everywhere(query) : this.#inWorkflow(query, query.rootId);
  }

  #everywhere(query: ListQuery): Row[] {
    const { roots, tag, after, limit } = query;
    const { parameters, given } = parameterList();
    const tagged = roots && tag !== undefined;
    const source = tagged ? taggedWith(given(tag)) : SIGNATURES;
    const { createdAt, id } = source;
    const conditions = filters(query, given);
    if (after !== null) {
      conditions.push(`(${createdAt}, ${id}) < (${given(after.createdAt)}, ${given(after.id)})`);
    }
    if (tag !== undefined && !tagged) conditions.push(hasTag(tag, given));
    const selects = (tagged ? [statusFilter(query, given)] : statusStretches(query, given)).map((status) =>
      select(source, [...conditions, ...status]),
    );
    const sql = `${selects.join(" UNION ALL ")} ORDER BY ${createdAt} DESC, ${id} DESC LIMIT ${given(limit)}`;
    return this.#db.all<Row>(sql, ...parameters);
  }

  /** Goes from one birth to the one before it: what was born in one instant is a stretch of an index. */
  #inWorkflow(query: ListQuery, rootId: string): Row[] {
    const { after, tag, limit } = query;
    const rows: Row[] = [];
    let before = after === null ? Number.MAX_SAFE_INTEGER : after.createdAt + 1;
    while (rows.length < limit) {
      const [born] = this.#db.get<[number | null]>(BIRTH_BEFORE, rootId, before)!;
      if (born === null) break;
      const { parameters, given } = parameterList();
      const conditions = filters(query, given);
      // An id is the root's, or begins with it and a dot; the slash is the character after the dot.
      conditions.push(
        `created_at = ${given(born)} AND id >= ${given(rootId)} AND id < ${given(`${rootId}/`)}`,
      );
      conditions.push(`root_id = ${given(rootId)}`);
      if (after !== null && born === after.createdAt) conditions.push(`id < ${given(after.id)}`);
      if (tag !== undefined) conditions.push(hasTag(tag, given));
      const selects = [statusFilter(query, given)].map((status) =>
        select(SIGNATURES, [...conditions, ...status]),
      );
      const sql = `${selects.join(" UNION ALL ")} ORDER BY id DESC LIMIT ${given(limit - rows.length)}`;
      rows.push(...this.#db.all<Row>(sql, ...parameters));
      before = born;
    }
    return rows;
  }
}

/** Statuses by which everything is indexed. The others are too common, or pass too quickly, for an index of their own. */
const NOTABLE: ReadonlySet<Status> = new Set([
  "WAITING",
  "SUSPENDED",
  "INTERRUPTED",
  "FAILED",
  "SKIPPED",
  "CANCELLED",
]);

/**
 * The filter by status, as conditions of one select for each stretch of an index, which are merged. Roots are indexed by
 * their status, and so is everything of a notable one; for the rest, and among what is marked for deletion, it is a condition like
 * any other.
 */
function statusStretches(query: ListQuery, given: Given): string[][] {
  const { roots, statuses = STATUSES, marked } = query;
  if (statuses.length === 0) return [["false"]];
  // The plus keeps the status from being looked up in an index of its own: few are marked.
  if (marked === true) return [query.statuses === undefined ? [] : [oneOf("+status", query.statuses, given)]];
  if (roots) return [...new Set(statuses)].map((status) => [`status = ${given(status)}`]);
  if (statuses.every((status) => NOTABLE.has(status))) {
    return [...new Set(statuses)].map((status) => [`notable_status = ${given(status)}`]);
  }
  return [statusFilter(query, given)];
}

function statusFilter({ statuses }: ListQuery, given: Given): string[] {
  return statuses === undefined ? [] : [oneOf("status", statuses, given)];
}

function hasTag(tag: string, given: Given): string {
  return `root_id IN (SELECT root_id FROM root_tags WHERE tag = ${given(tag)})`;
}

type Given = (value: Parameter) => string;

/** Parameters of a statement that is put together: `given` takes one in and returns what stands for it in the text. */
function parameterList(): { parameters: Parameter[]; given: Given } {
  const parameters: Parameter[] = [];
  return { parameters, given: (value) => `?${parameters.push(value)}` };
}

function filters({ roots, kinds, names, roles, marked }: ListQuery, given: Given): string[] {
  const conditions: string[] = [];
  if (roots) conditions.push("role = 'root'");
  if (kinds !== undefined) conditions.push(oneOf("kind", kinds, given));
  if (names !== undefined) conditions.push(oneOf("name", names, given));
  if (roles !== undefined) conditions.push(oneOf("role", roles, given));
  if (marked !== undefined) conditions.push(`purge_at IS ${marked ? "NOT NULL" : "NULL"}`);
  return conditions;
}

function oneOf(column: string, values: readonly string[], given: Given): string {
  return `${column} IN (SELECT value FROM json_each(${given(JSON.stringify(values))}))`;
}

function select({ from }: Source, conditions: readonly string[]): string {
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  return `SELECT ${COLUMNS} FROM ${from} ${where}`;
}
