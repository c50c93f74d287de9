import type { SignatureRecord } from "../../core/record.ts";
import { type Status, STATUSES } from "../../core/status.ts";
import type { ListQuery } from "../../ports/store.ts";
import { textArray } from "./arrays.ts";
import { COLUMNS } from "./columns.ts";
import type { Connection, Parameter } from "./connection.ts";
import { type Row, toRecord } from "./row.ts";
import { toSafe } from "./safe-text.ts";
import { SHOWN } from "./visible.ts";

/** Where a statement looks, and the order in which it finds newest first there. */
interface Source {
  readonly from: string;
  readonly createdAt: string;
  readonly id: string;
}

const SIGNATURES: Source = { from: "signatures", createdAt: "created_at", id: "id" };

/** Roots with a tag, which stand in the order of the list. */
const taggedWith = (tag: string): Source => ({
  from: `(SELECT created_at AS tagged_at, root_id AS tagged_id FROM root_tags WHERE tag = ${tag}) AS tagged
    JOIN signatures ON id = tagged_id`,
  createdAt: "tagged_at",
  id: "tagged_id",
});

/** What was born in one workflow, instant by instant: of each, what was stored then is a stretch of an index. */
const bornIn = (rootId: string): Source => ({
  from: `(SELECT created_at AS born_at FROM births WHERE root_id = ${rootId}
      UNION SELECT created_at FROM signatures WHERE id = ${rootId}) AS born
    JOIN signatures ON created_at = born_at AND id >= ${rootId} AND id < ${rootId} || '/' AND root_id = ${rootId}`,
  createdAt: "born_at",
  id: "id",
});

/** Signatures, newest first, then by id backwards. */
export class Newest {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  async list(query: ListQuery): Promise<SignatureRecord[]> {
    const { parameters, given } = parameterList();
    const sql = listing(query, given);
    return (await this.#db.once<Row>(sql, parameters)).map(toRecord);
  }
}

/** One select for each stretch of an index, in order and no longer than the page, which are merged. */
function listing(query: ListQuery, given: Given): string {
  const { roots, rootId, tag, after, limit } = query;
  const tagged = roots && tag !== undefined && rootId === undefined;
  const source = tagged
    ? taggedWith(given(toSafe(tag)))
    : rootId === undefined
      ? SIGNATURES
      : bornIn(`${given(rootId)}::text`);
  const { from, createdAt, id } = source;
  const conditions = [...filters(query, given), SHOWN];
  if (after !== null) {
    conditions.push(
      `(${createdAt}, ${id}) < (${given(after.createdAt)}::bigint, ${given(toSafe(after.id))}::text)`,
    );
  }
  if (tag !== undefined && !tagged) {
    conditions.push(`root_id IN (SELECT root_id FROM root_tags WHERE tag = ${given(toSafe(tag))})`);
  }
  const page = `ORDER BY ${createdAt} DESC, ${id} DESC LIMIT ${given(limit)}`;
  const stretches = source === SIGNATURES ? statusStretches(query, given) : statusFilter(query, given);
  const selects = stretches.map(
    (status) => `(SELECT ${COLUMNS} FROM ${from} WHERE ${[...conditions, status].join(" AND ")} ${page})`,
  );
  return `SELECT * FROM (${selects.join(" UNION ALL ")}) AS pages ORDER BY created_at DESC, id DESC LIMIT ${given(limit)}`;
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
 * The filter by status, as a condition of each select. Roots are indexed by their status, and so is everything of a notable one; for
 * the rest, and among what is marked for deletion, it is a condition like any other.
 */
function statusStretches(query: ListQuery, given: Given): string[] {
  const { roots, statuses = STATUSES, marked } = query;
  if (statuses.length === 0) return ["false"];
  const isIndexed = roots || statuses.every((status) => NOTABLE.has(status));
  if (marked === true || !isIndexed) return statusFilter(query, given);
  return STATUSES.filter((status) => statuses.includes(status)).map((status) => `status = '${status}'`);
}

function statusFilter({ statuses }: ListQuery, given: Given): string[] {
  return [statuses === undefined ? "true" : oneOf("status", statuses, given)];
}

type Given = (value: Parameter) => string;

/** Parameters of a statement that is put together: `given` takes one in and returns what stands for it in the text. */
function parameterList(): { parameters: Parameter[]; given: Given } {
  const parameters: Parameter[] = [];
  return { parameters, given: (value) => `$${parameters.push(value)}` };
}

function filters({ roots, kinds, names, roles, marked }: ListQuery, given: Given): string[] {
  const conditions: string[] = [];
  if (roots) conditions.push("role = 'root'");
  if (kinds !== undefined) conditions.push(oneOf("kind", kinds, given));
  if (names !== undefined) conditions.push(oneOf("name", names.map(toSafe), given));
  if (roles !== undefined) conditions.push(oneOf("role", roles, given));
  if (marked !== undefined) conditions.push(`purge_at IS ${marked ? "NOT NULL" : "NULL"}`);
  return conditions;
}

function oneOf(column: string, values: readonly string[], given: Given): string {
  return `${column} = ANY (${given(textArray(values))}::text[])`;
}
