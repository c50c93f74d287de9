import type { SignatureRecord } from "../../core/record.ts";
import { COLUMNS, text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { jumps, startableTurns } from "./jumps.ts";
import type { Parameter } from "./literals.ts";
import { readable, wholePage } from "../readable.ts";
import { type Row, toRecord } from "../signature-row.ts";
import { SHOWN } from "./visible.ts";

/** The running ones are looked through in their index, which is as long as all workers together have places. */
const STRAYS = `SELECT ${text("s.id")} FROM mageflow_signatures AS s FORCE INDEX (line)
  WHERE s.line > 'under ' AND s.line < 'under!' AND s.kind = 'task'
    AND (SELECT 1 FROM mageflow_workers WHERE mageflow_workers.id = s.worker_id AND ended_at IS NULL) IS NULL AND ${SHOWN}
  LIMIT $1`;

const STALLED = `SELECT ${text("s.id")} FROM mageflow_signatures AS s FORCE INDEX (line)
  WHERE s.line = 'stalled' AND ${SHOWN} ORDER BY s.line_turn, s.line_at, s.line_slot, s.id LIMIT $1`;

const NEXT_HOLDER = `SELECT ${text("s.held_by")} FROM mageflow_signatures AS s FORCE INDEX (held)
  WHERE s.held_by > $1 AND ${SHOWN} ORDER BY s.held_by LIMIT 1`;

/** Of what has business: the kinds of it that are asked for. */
export function withBusiness(bit: 1 | 2 | 4): number[] {
  return [1, 2, 3, 4, 5, 6, 7].filter((business) => (business & bit) !== 0);
}

const UNSETTLED = `SELECT ${COLUMNS} FROM (
    SELECT id FROM (
      ${withBusiness(1)
        .map(
          (business) => `(SELECT s.id FROM mageflow_signatures AS s FORCE INDEX (business)
        WHERE s.business = ${business} AND s.id > $1 AND ${SHOWN} ORDER BY s.id LIMIT $2)`,
        )
        .join("\n      UNION ALL ")}
    ) AS pages ORDER BY id LIMIT $2
  ) AS page STRAIGHT_JOIN mageflow_signatures AS s FORCE INDEX (PRIMARY) ON s.id = page.id ORDER BY page.id`;

/** The first child of a status and turn by its slot. */
const firstChild = (
  status: string,
  turn: string,
): string => `(SELECT s.id FROM mageflow_signatures AS s FORCE INDEX (children)
        WHERE s.parent_id = $1 AND s.child_status = '${status}' AND s.child_turn = ${turn} ORDER BY s.child_slot LIMIT 1)`;

/** An id begins with that of what it stands below and a dot; the slash is the character after the dot. */
const firstInside = (
  business: number,
): string => `(SELECT s.id FROM mageflow_signatures AS s FORCE INDEX (business)
        WHERE s.business = ${business} AND s.id > CONCAT($1, '.') AND s.id < CONCAT($1, '/') ORDER BY s.id LIMIT 1)`;

const firstOwing = (debt: number): string => `(SELECT s.id FROM mageflow_signatures AS s FORCE INDEX (debt)
        WHERE s.debt = ${debt} AND s.parent_id = $1 ORDER BY s.id LIMIT 1)`;

/** The first of each kind, but for startable children: of those the first of each turn. */
const awaitedBy = (turns: readonly number[]): string => `SELECT what, ${COLUMNS} FROM (
    ${[
      ...turns.map((turn) => `SELECT 'startable' AS what, ${firstChild("STARTABLE", String(turn))} AS id`),
      ...["PENDING", "READY", "RUNNING", "WAITING", "INTERRUPTED", "SUSPENDED"].map(
        (status) => `SELECT 'child' AS what, ${firstChild(status, "0")} AS id`,
      ),
      `SELECT 'child', ${firstChild("SUSPENDED", "1")}`,
      `SELECT 'callback', s.id FROM mageflow_signatures AS s FORCE INDEX (children)
      WHERE s.parent_id = $1 AND s.child_status = 'CALLBACK'
        AND s.status <> 'SUCCEEDED' AND s.status <> 'FAILED' AND s.status <> 'SKIPPED' AND s.status <> 'CANCELLED'`,
      ...[1, 3].map((debt) => `SELECT 'owing', ${firstOwing(debt)}`),
      ...withBusiness(1).map((business) => `SELECT 'inside', ${firstInside(business)}`),
    ].join("\n    UNION ALL ")}
  ) AS awaited STRAIGHT_JOIN mageflow_signatures AS s FORCE INDEX (PRIMARY) ON s.id = awaited.id WHERE ${SHOWN}`;

type Awaited = readonly [what: "startable" | "child" | "callback" | "owing" | "inside", ...row: Row];

/** What waits, what it may be waiting for, and what waits for nothing. */
export class Waiting {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  async strays(limit: number): Promise<string[]> {
    return this.#ids(STRAYS, limit);
  }

  async stalled(limit: number): Promise<string[]> {
    return this.#ids(STALLED, limit);
  }

  async holders(after: string | null, limit: number): Promise<string[]> {
    const next = async (last: string): Promise<string | null> =>
      (await this.#db.get<[string]>(NEXT_HOLDER, last))?.[0] ?? null;
    return jumps(next, after ?? "", limit);
  }

  async unsettled(after: string | null, limit: number): Promise<SignatureRecord[]> {
    return wholePage(limit, (most) => this.#db.all<Row>(UNSETTLED, after ?? "", most), toRecord);
  }

  async awaited(ids: readonly string[]): Promise<Map<string, SignatureRecord[]>> {
    const each = [...new Set(ids)];
    const turns = await Promise.all(each.map((id) => startableTurns(this.#db, id)));
    const found = await Promise.all(each.map((id, n) => this.#db.all<Awaited>(awaitedBy(turns[n]!), id)));
    const awaited = new Map<string, SignatureRecord[]>();
    for (const [n, id] of each.entries()) {
      const records = firsts(found[n]!);
      if (records.length > 0) awaited.set(id, records);
    }
    return awaited;
  }

  async #ids(sql: string, ...parameters: Parameter[]): Promise<string[]> {
    return (await this.#db.all<[string]>(sql, ...parameters)).map(([id]) => id);
  }
}

/** The first of each kind: startable children by their slot, what owes and what is inside by id. All others are firsts already. */
function firsts(found: readonly Awaited[]): SignatureRecord[] {
  const kept = new Map<string, SignatureRecord>();
  for (const [what, ...row] of found) {
    const [record] = readable([row], toRecord);
    if (record === undefined) continue;
    const kind = what === "child" || what === "callback" ? `${what} ${record.id}` : what;
    const before = kept.get(kind);
    if (before === undefined || isBefore(what, record, before)) kept.set(kind, record);
  }
  return [...new Map([...kept.values()].map((record) => [record.id, record])).values()];
}

function isBefore(what: Awaited[0], a: SignatureRecord, b: SignatureRecord): boolean {
  return what === "startable" ? a.slot < b.slot : a.id < b.id;
}
