import type { SignatureRecord } from "../../core/record.ts";
import { type Status, STATUSES } from "../../core/status.ts";
import type { ListQuery } from "../../ports/store.ts";
import { wholePage } from "../readable.ts";
import { textArray } from "./arrays.ts";
import { IS_UNDER_WORKER } from "./children.ts";
import { COLUMNS } from "./columns.ts";
import type { Connection, Parameter } from "./connection.ts";
import { type Row, toRecord } from "../signature-row.ts";
import { toSafe } from "../safe-text.ts";
import { SHOWN } from "./visible.ts";
import { IS_STALLED, IS_UNSETTLED } from "./waiting.ts";

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

/** The latest instant before another at which something of a workflow was stored. */
const BIRTH_BEFORE = `SELECT max(created_at) FROM (
    (SELECT created_at FROM births WHERE root_id = $1 AND created_at < $2 ORDER BY created_at DESC LIMIT 1)
    UNION ALL SELECT created_at FROM signatures WHERE id = $1 AND created_at < $2
  ) AS before`;

/**
 * Where the next hidden stretch of the list begins, from a place on: what a draft, or what is being discarded, has of one instant. The
 * list takes a step for each of those: a draft has one, and what has run for long and is being discarded as many as it was added to.
 */
const HIDDEN_BEFORE = `SELECT born_at, root_id FROM drafts CROSS JOIN LATERAL (
    SELECT created_at AS born_at FROM births
    WHERE births.root_id = drafts.root_id AND created_at <= $1 AND (created_at < $1 OR births.root_id < $2)
    ORDER BY created_at DESC LIMIT 1
  ) AS birth ORDER BY born_at DESC, root_id DESC LIMIT 1`;

/** A place in the list. */
type Place = NonNullable<ListQuery["after"]>;

/** Signatures, newest first, then by id backwards. */
export class Newest {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  async list(query: ListQuery): Promise<SignatureRecord[]> {
    const { roots, rootId, statuses, limit } = query;
    if (rootId === undefined)
      return roots
        ? this.#page(
            limit,
            (most, given) => everywhere({ ...query, limit: most }, null, given),
            statuses === undefined,
          )
        : this.#everything(query);
    return statuses?.every((status) => INDEXED_INSIDE.has(status)) === true
      ? this.#page(limit, (most, given) =>
          inWorkflowByStatus({ ...query, limit: most }, toSafe(rootId), given),
        )
      : this.#inWorkflow(query, toSafe(rootId));
  }

  /** Jumps over what is hidden: a tree of millions that is being stored is newer than all that is shown. */
  async #everything(query: ListQuery): Promise<SignatureRecord[]> {
    const found: SignatureRecord[] = [];
    let { after } = query;
    for (;;) {
      const before = [after?.createdAt ?? Number.MAX_SAFE_INTEGER, toSafe(after?.id ?? "")] as const;
      const hidden = await this.#db.get<[born: number, rootId: string]>(HIDDEN_BEFORE, ...before);
      const end = hidden === undefined ? null : { createdAt: hidden[0], id: `${hidden[1]}/` };
      const left = query.limit - found.length;
      const part = { ...query, after };
      found.push(
        ...(await this.#page(
          left,
          (most, given) => everywhere({ ...part, limit: most }, end, given),
          query.statuses === undefined,
        )),
      );
      if (hidden === undefined || found.length === query.limit) return found;
      after = { createdAt: hidden[0], id: hidden[1] };
    }
  }

  /** Goes from one birth to the one before it: what was born in one instant is a stretch of an index. */
  async #inWorkflow(query: ListQuery, rootId: string): Promise<SignatureRecord[]> {
    const { after, limit } = query;
    const found: SignatureRecord[] = [];
    let before = after === null ? Number.MAX_SAFE_INTEGER : after.createdAt + 1;
    while (found.length < limit) {
      const [born] = (await this.#db.get<[number | null]>(BIRTH_BEFORE, rootId, before))!;
      if (born === null) break;
      const left = limit - found.length;
      found.push(...(await this.#page(left, (most, given) => bornAt(query, rootId, born, most, given))));
      before = born;
    }
    return found;
  }

  /** With `kept` the server keeps its plan, which takes longer to make than to carry out: for what there are few texts of. */
  async #page(
    limit: number,
    statement: (limit: number, given: Given) => string,
    kept = false,
  ): Promise<SignatureRecord[]> {
    const read = (most: number): Promise<Row[]> => {
      const parameters: Parameter[] = [];
      const sql = statement(most, (value) => `$${parameters.push(value)}`);
      return kept ? this.#db.all<Row>(sql, ...parameters) : this.#db.once<Row>(sql, parameters);
    };
    return wholePage(limit, read, toRecord);
  }
}

/** One select for each stretch of an index, in order and no longer than the page, which are merged; none looks beyond `end`. */
function everywhere(query: ListQuery, end: Place | null, given: Given): string {
  const { roots, tag, after, limit } = query;
  const tagged = roots && tag !== undefined;
  const { from, createdAt, id } = tagged ? taggedWith(given(toSafe(tag))) : SIGNATURES;
  const conditions = filters(query, given);
  if (after !== null)
    conditions.push(
      `(${createdAt}, ${id}) < (${given(after.createdAt)}::bigint, ${given(toSafe(after.id))}::text)`,
    );
  if (tag !== undefined && !tagged) conditions.push(hasTag(tag, given));
  const page = `ORDER BY ${createdAt} DESC, ${id} DESC LIMIT ${given(limit)}`;
  const stretches = tagged ? statusFilter(query, given) : statusStretches(query, given);
  // A comparison of both would end the scan only behind all that was born in that instant.
  const ends =
    end === null
      ? ["true"]
      : [
          `${createdAt} > ${given(end.createdAt)}::bigint`,
          `${createdAt} = ${given(end.createdAt)}::bigint AND ${id} >= ${given(end.id)}::text`,
        ];
  const selects = stretches
    .flatMap((status) => ends.map((until) => `${status} AND ${until}`))
    .map(
      (status) => `(SELECT ${COLUMNS} FROM ${from} WHERE ${[...conditions, status].join(" AND ")} ${page})`,
    );
  return `SELECT * FROM (${selects.join(" UNION ALL ")}) AS pages
    ORDER BY created_at DESC, id DESC LIMIT ${given(limit)}`;
}

/** What is in a workflow and has statuses by which it is found: there may be much that has none of them. */
function inWorkflowByStatus(query: ListQuery, rootId: string, given: Given): string {
  const { tag, after, limit, statuses } = query;
  const root = given(rootId);
  const conditions = [...filters(query, given), `root_id = ${root}`];
  if (after !== null)
    conditions.push(
      `(created_at, id) < (${given(after.createdAt)}::bigint, ${given(toSafe(after.id))}::text)`,
    );
  if (tag !== undefined) conditions.push(hasTag(tag, given));
  const most = given(limit);
  const selects = STATUSES.filter((status) => statuses!.includes(status)).flatMap((status) =>
    NOTABLE.has(status)
      ? [
          `(SELECT id, created_at FROM signatures WHERE ${[...conditions, `status = '${status}'`].join(" AND ")}
            ORDER BY created_at DESC, id DESC LIMIT ${most})`,
        ]
      : underWay(status, root).map(
          ([stretch, order]) =>
            `(SELECT id, created_at FROM signatures WHERE ${[stretch, ...conditions].join(" AND ")} ORDER BY ${order} OFFSET 0)`,
        ),
  );
  if (selects.length === 0) return `SELECT ${COLUMNS} FROM signatures WHERE false`;
  return `SELECT ${COLUMNS} FROM (
      SELECT id AS page_id FROM (${selects.join(" UNION ALL ")}) AS pages
      ORDER BY created_at DESC, id DESC LIMIT ${most}
    ) AS page JOIN signatures ON id = page_id ORDER BY created_at DESC, id DESC`;
}

/**
 * The stretches of indexes that hold what is under way, each with the order that it stands in there: as many are as windows and workers
 * let be, and the newest are picked out of them. What runs is under a worker, or is a container, or waits for nothing.
 */
function underWay(status: Status, root: string): (readonly [stretch: string, order: string])[] {
  if (status === "READY") return [["status = 'READY'", "name, priority DESC, ready_at, slot, signatures.id"]];
  const below = `id >= ${root} AND id < ${root} || '/'`;
  return [
    [`${IS_UNDER_WORKER} AND kind = 'task'`, "parent_id"],
    [`${IS_UNSETTLED} AND ${below} AND kind <> 'task' AND status = 'RUNNING'`, "signatures.id"],
    [`${IS_STALLED} AND ${below} AND kind = 'task' AND status = 'RUNNING'`, "signatures.id"],
  ];
}

/** What was stored of a workflow in one instant. An id is the root's, or begins with it and a dot; the slash is the character after the dot. */
function bornAt(query: ListQuery, rootId: string, born: number, limit: number, given: Given): string {
  const { after, tag } = query;
  const root = given(rootId);
  const conditions = [
    ...filters(query, given),
    ...statusFilter(query, given),
    `created_at = ${given(born)} AND id >= ${root} AND id < ${root} || '/' AND root_id = ${root}`,
  ];
  if (after !== null && born === after.createdAt) conditions.push(`id < ${given(toSafe(after.id))}`);
  if (tag !== undefined) conditions.push(hasTag(tag, given));
  return `SELECT ${COLUMNS} FROM signatures WHERE ${conditions.join(" AND ")} ORDER BY id DESC LIMIT ${given(limit)}`;
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

/** Statuses by which what is in a workflow is found. Most of it has one of the others at some time. */
const INDEXED_INSIDE: ReadonlySet<Status> = new Set([...NOTABLE, "READY", "RUNNING"]);

/**
 * The filter by status, as a condition of each select. Roots are indexed by their status, and so is everything of a notable one; for
 * the rest, and among what is marked for deletion, it is a condition like any other.
 */
function statusStretches(query: ListQuery, given: Given): string[] {
  const { roots, statuses = STATUSES, marked } = query;
  const isIndexed = roots || statuses.every((status) => NOTABLE.has(status));
  if (marked === true || !isIndexed) return statusFilter(query, given);
  return eachStatus(statuses);
}

/** None is a condition too. */
function eachStatus(statuses: readonly Status[]): string[] {
  if (statuses.length === 0) return ["false"];
  return STATUSES.filter((status) => statuses.includes(status)).map((status) => `status = '${status}'`);
}

function statusFilter({ statuses }: ListQuery, given: Given): string[] {
  return [statuses === undefined ? "true" : oneOf("status", statuses, given)];
}

/** Takes a parameter of a statement in, and returns what stands for it in the text. */
type Given = (value: Parameter) => string;

function hasTag(tag: string, given: Given): string {
  return `root_id IN (SELECT root_id FROM root_tags WHERE tag = ${given(toSafe(tag))})`;
}

function filters({ roots, kinds, names, roles, marked }: ListQuery, given: Given): string[] {
  const conditions: string[] = [SHOWN];
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
