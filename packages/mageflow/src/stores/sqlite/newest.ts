import { type Status, STATUSES } from "../../core/status.ts";
import type { ListQuery } from "../../ports/store.ts";
import type { Connection, Parameter } from "./connection.ts";
import { COLUMNS, CREATED_AT, ID, type Row } from "./row.ts";
import { IS_STALLED, IS_UNSETTLED } from "./waiting.ts";

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
    const { rootId, statuses } = query;
    if (rootId === undefined) return this.#everywhere(query);
    return statuses?.every((status) => INDEXED_INSIDE.has(status)) === true
      ? this.#inWorkflowByStatus(query, rootId, statuses)
      : this.#inWorkflow(query, rootId);
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

  /** What has one of these statuses is found by them: there may be much in a workflow that has none of them. */
  #inWorkflowByStatus(query: ListQuery, rootId: string, statuses: readonly Status[]): Row[] {
    const rows = [...new Set(statuses)].flatMap((status) => this.#ofStatus(query, rootId, status));
    rows.sort((a, b) => b[CREATED_AT] - a[CREATED_AT] || (a[ID] < b[ID] ? 1 : -1));
    return rows.slice(0, query.limit);
  }

  #ofStatus(query: ListQuery, rootId: string, status: Status): Row[] {
    const { after, tag, limit } = query;
    const { stretches, order } = stretchesInside(rootId, status);
    return stretches.flatMap((stretch) => {
      const { parameters, given } = parameterList();
      const conditions = [...stretch(given), `+root_id = ${given(rootId)}`, ...filters(query, given)];
      if (after !== null)
        conditions.push(`(created_at, id) < (${given(after.createdAt)}, ${given(after.id)})`);
      if (tag !== undefined) conditions.push(hasTag(tag, given));
      const sql = `${select(SIGNATURES, conditions)} ORDER BY ${order} LIMIT ${given(limit)}`;
      return this.#db.all<Row>(sql, ...parameters);
    });
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

/** Statuses by which what is in a workflow is found. Most of a workflow is one of the others. */
const INDEXED_INSIDE: ReadonlySet<Status> = new Set([...NOTABLE, "READY", "RUNNING"]);

/** The stretches of indexes that hold what is in a workflow and has such a status, each by its conditions, and the order of what is found. */
function stretchesInside(
  rootId: string,
  status: Status,
): { stretches: ((given: Given) => string[])[]; order: string } {
  if (NOTABLE.has(status)) {
    const stretch = (given: Given): string[] => [
      `root_id = ${given(rootId)}`,
      `notable_status = ${given(status)}`,
    ];
    return { stretches: [stretch], order: "created_at DESC, id DESC" };
  }
  // As many are under way as windows and workers let be. The plus keeps them from being looked for in the order of the list, among all.
  const order = "+created_at DESC, +id DESC";
  const end = `${rootId}/`;
  if (status === "READY") {
    return {
      stretches: [(given) => ["status = 'READY'", `+id >= ${given(rootId)}`, `+id < ${given(end)}`]],
      order,
    };
  }
  const below = (column: string, given: Given): string[] => [
    `${column} >= ${given(rootId)}`,
    `${column} < ${given(end)}`,
  ];
  const [task, running] = ["+kind = 'task'", "+status = 'RUNNING'"];
  return {
    stretches: [
      (given) => ["worker_id IS NOT NULL", ...below("parent_id", given), task, running],
      (given) => [`id = ${given(rootId)}`, "worker_id IS NOT NULL", task, running],
      (given) => [IS_UNSETTLED, ...below("id", given), "+kind <> 'task'", running],
      (given) => [IS_STALLED, ...below("id", given), task, running],
    ],
    order,
  };
}

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
