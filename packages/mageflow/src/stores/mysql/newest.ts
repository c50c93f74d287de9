import type { SignatureRecord } from "../../core/record.ts";
import { type Status, STATUSES } from "../../core/status.ts";
import type { ListQuery } from "../../ports/store.ts";
import { toSafe } from "../safe-text.ts";
import { COLUMNS } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { fill, list, type Parameter } from "./literals.ts";
import { wholePage } from "../readable.ts";
import { type Row, toRecord } from "../signature-row.ts";
import { SHOWN } from "./visible.ts";

/** Where a statement looks, and the order in which it finds newest first there. */
interface Source {
  readonly from: string;
  readonly createdAt: string;
  readonly id: string;
  /** What holds of the stretch that it looks through. */
  readonly condition?: string;
}

const EVERYTHING: Source = {
  from: "mageflow_signatures AS s FORCE INDEX (newest)",
  createdAt: "s.created_at",
  id: "s.id",
};

const listedAs = (listed: string): Source => ({
  ...EVERYTHING,
  from: "mageflow_signatures AS s FORCE INDEX (listed)",
  condition: `s.listed = '${listed}'`,
});

/** Roots with a tag, which stand in the order of the list. */
const taggedWith = (tag: string): Source => ({
  from: `mageflow_root_tags AS t FORCE INDEX (PRIMARY)
    STRAIGHT_JOIN mageflow_signatures AS s FORCE INDEX (PRIMARY) ON s.id = t.root_id`,
  createdAt: "t.created_at",
  id: "t.root_id",
  condition: fill("t.tag = $1", [toSafe(tag)]),
});

/** The latest instant before another at which something of a workflow was stored. */
const BIRTH_BEFORE = `SELECT MAX(created_at) FROM (
    (SELECT MAX(created_at) AS created_at FROM mageflow_births WHERE root_id = $1 AND created_at < $2)
    UNION ALL SELECT created_at FROM mageflow_signatures WHERE id = $1 AND created_at < $2
  ) AS births`;

/** Signatures, newest first, then by id backwards. */
export class Newest {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  async list(query: ListQuery): Promise<SignatureRecord[]> {
    const { rootId } = query;
    return rootId === undefined
      ? wholePage(query.limit, (limit) => this.#db.all<Row>(everywhere({ ...query, limit })), toRecord)
      : wholePage(query.limit, (limit) => this.#inWorkflow({ ...query, limit }, toSafe(rootId)), toRecord);
  }

  /** Goes from one birth to the one before it: what was born in one instant is a stretch of an index. */
  async #inWorkflow(query: ListQuery, rootId: string): Promise<Row[]> {
    const { after, limit } = query;
    const found: Row[] = [];
    let before = after === null ? Number.MAX_SAFE_INTEGER : after.createdAt + 1;
    while (found.length < limit) {
      const [born] = (await this.#db.get<[number | null]>(BIRTH_BEFORE, rootId, before))!;
      if (born === null) break;
      found.push(...(await this.#db.all<Row>(bornAt(query, rootId, born, limit - found.length))));
      before = born;
    }
    return found;
  }
}

/** One select for each stretch of an index, in order and no longer than the page, which are merged. */
function everywhere(query: ListQuery): string {
  const { roots, tag, after, limit, statuses } = query;
  const conditions = filters(query);
  const isByTag = roots && tag !== undefined;
  if (tag !== undefined && !isByTag) conditions.push(hasTag(tag));
  if (statuses !== undefined) conditions.push(oneOf("s.status", statuses));
  const sources = isByTag ? [taggedWith(tag)] : stretches(query);
  const selects = sources.map((source) => {
    const { from, createdAt, id, condition } = source;
    const all = [...(condition === undefined ? [] : [condition]), ...conditions];
    if (after !== null) {
      const { createdAt: at } = after;
      all.push(fill(`${createdAt} <= $1 AND (${createdAt} < $1 OR ${id} < $2)`, [at, toSafe(after.id)]));
    }
    return `(SELECT s.id, s.created_at FROM ${from} WHERE ${all.join(" AND ")}
      ORDER BY ${createdAt} DESC, ${id} DESC ${fill("LIMIT $1", [limit])})`;
  });
  if (selects.length === 0) return `SELECT ${COLUMNS} FROM mageflow_signatures AS s WHERE FALSE`;
  return `SELECT ${COLUMNS} FROM (
    SELECT id, created_at FROM (${selects.join("\n      UNION ALL ")}) AS pages
    ORDER BY created_at DESC, id DESC ${fill("LIMIT $1", [limit])}
  ) AS page STRAIGHT_JOIN mageflow_signatures AS s FORCE INDEX (PRIMARY) ON s.id = page.id
  ORDER BY page.created_at DESC, page.id DESC`;
}

/** What was stored of a workflow in one instant. An id is the root's, or begins with it and a dot; the slash is the character after the dot. */
function bornAt(query: ListQuery, rootId: string, born: number, limit: number): string {
  const { after, tag, statuses } = query;
  const conditions = [
    fill("s.created_at = $1 AND s.id >= $2 AND s.id < CONCAT($2, '/') AND s.root_id = $2", [born, rootId]),
    ...filters(query),
  ];
  if (statuses !== undefined) conditions.push(oneOf("s.status", statuses));
  if (after !== null && born === after.createdAt) conditions.push(fill("s.id < $1", [toSafe(after.id)]));
  if (tag !== undefined) conditions.push(hasTag(tag));
  return `SELECT ${COLUMNS} FROM ${EVERYTHING.from} WHERE ${conditions.join(" AND ")}
    ORDER BY s.id DESC ${fill("LIMIT $1", [limit])}`;
}

/** Statuses by which everything is listed. The others are too common, or pass too quickly, for that. */
const NOTABLE: ReadonlySet<Status> = new Set([
  "WAITING",
  "SUSPENDED",
  "INTERRUPTED",
  "FAILED",
  "SKIPPED",
  "CANCELLED",
]);

/**
 * Where to look: roots are listed by their status, and so is everything of a notable one and what is marked for deletion; for the rest a
 * status is a condition like any other.
 */
function stretches({ roots, statuses = STATUSES, marked }: ListQuery): Source[] {
  const each = STATUSES.filter((status) => statuses.includes(status));
  if (!roots && marked !== true && !(each.length > 0 && each.every((status) => NOTABLE.has(status))))
    return each.length === 0 ? [] : [EVERYTHING];
  const listed = each.flatMap((status) => [
    ...(marked === true ? [] : [`root ${status}`]),
    ...(marked === false ? [] : [`marked ${status}`]),
    ...(roots || marked === false ? [] : [`inner ${status}`]),
    ...(roots || marked === true ? [] : [status]),
  ]);
  return listed.map(listedAs);
}

function hasTag(tag: string): string {
  return fill(
    `(SELECT COUNT(*) FROM mageflow_signatures AS r STRAIGHT_JOIN mageflow_root_tags AS t
      ON t.tag = $1 AND t.created_at = r.created_at AND t.root_id = r.id WHERE r.id = s.root_id) > 0`,
    [toSafe(tag)],
  );
}

function filters({ roots, kinds, names, roles, marked }: ListQuery): string[] {
  const conditions: string[] = [];
  if (roots) conditions.push("s.role = 'root'");
  if (kinds !== undefined) conditions.push(oneOf("s.kind", kinds));
  if (names !== undefined) conditions.push(oneOf("s.name", names.map(toSafe)));
  if (roles !== undefined) conditions.push(oneOf("s.role", roles));
  if (marked !== undefined) conditions.push(`s.purge_at IS ${marked ? "NOT NULL" : "NULL"}`);
  conditions.push(SHOWN);
  return conditions;
}

function oneOf(column: string, values: readonly string[]): string {
  const given: Parameter[] = [list(values)];
  return fill(`${column} IN $1`, given);
}
