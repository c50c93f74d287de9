import type { SignatureRecord } from "../../core/record.ts";
import { type Status, STATUSES } from "../../core/status.ts";
import type { ChildQuery } from "../../ports/store.ts";
import { toSafe } from "../safe-text.ts";
import { COLUMNS, text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { jumps, startableTurns } from "./jumps.ts";
import { fill, list } from "./literals.ts";
import { wholePage } from "../readable.ts";
import { type Row, toRecord } from "../signature-row.ts";
import { SHOWN } from "./visible.ts";

/** Signatures as everybody sees them, drafts left out: one by one, a parent's in the order of slots, and counted. */

const BY_IDS = `SELECT ${COLUMNS} FROM mageflow_signatures AS s FORCE INDEX (PRIMARY) WHERE s.id IN $1 AND ${SHOWN}`;

export const BY_ROOT_KEY: string = `SELECT ${COLUMNS} FROM mageflow_signatures AS s FORCE INDEX (keys_taken)
  WHERE s.key_place = CONCAT(x'00', $1) AND ${SHOWN}`;

/** Children of a status and turn, by slot. */
const STRETCH = `(SELECT s.id, s.child_slot FROM mageflow_signatures AS s FORCE INDEX (children)
      WHERE s.parent_id = $1 AND s.child_status = $2 AND s.child_turn = $3 AND s.child_slot > $4
      ORDER BY s.child_slot LIMIT $5)`;

const CALLBACKS = `SELECT ${COLUMNS} FROM mageflow_signatures AS s FORCE INDEX (children)
  WHERE s.parent_id = $1 AND s.child_status = 'CALLBACK' AND s.child_turn = 0 AND s.child_slot = 0 AND s.id > $2
    AND ($3 OR s.status IN $4) AND ${SHOWN}
  ORDER BY s.id LIMIT $5`;

/** Counts in the index alone. What is under one parent belongs to one workflow, which is a draft or not. */
const COUNT = `SELECT COUNT(*) FROM mageflow_signatures FORCE INDEX (children) WHERE parent_id = $1 AND child_status = $2
  AND (SELECT begun_at FROM mageflow_drafts WHERE mageflow_drafts.root_id =
    (SELECT s.root_id FROM mageflow_signatures AS s FORCE INDEX (children) WHERE s.parent_id = $1 LIMIT 1)) IS NULL`;

const SCAN = `SELECT ${COLUMNS} FROM mageflow_signatures AS s FORCE INDEX (PRIMARY)
  WHERE s.id > $1 AND ${SHOWN} ORDER BY s.id LIMIT $2`;

const NEXT_READY_LINE = `SELECT ${text("s.line")} FROM mageflow_signatures AS s FORCE INDEX (line)
  WHERE s.line > $1 AND s.line < 'ready!' ORDER BY s.line LIMIT 1`;

/** Of each name no more than 1,000 ready tasks are counted. */
const COUNT_READY = `SELECT COUNT(*) FROM (
    SELECT 1 FROM mageflow_signatures AS s FORCE INDEX (line) WHERE s.line = $1 AND ${SHOWN} LIMIT 1000
  ) AS ready`;

const firstAlarm = (
  alarm: string,
): string => `(SELECT s.alarm_at FROM mageflow_signatures AS s FORCE INDEX (alarm)
    WHERE s.alarm = '${alarm}' AND ${SHOWN} ORDER BY s.alarm_at LIMIT 1)`;

const NEXT_DUE = `SELECT MIN(at) FROM (
    (SELECT s.line_at AS at FROM mageflow_signatures AS s FORCE INDEX (line)
      WHERE s.line = 'due' AND ${SHOWN} ORDER BY s.line_turn, s.line_at LIMIT 1)
    UNION ALL ${firstAlarm("deadline")}
    UNION ALL ${firstAlarm("stop")}
  ) AS instants`;

/** What was told to stop and runs, those first whose grace ends first. */
const STOPS = `SELECT ${COLUMNS} FROM mageflow_signatures AS s FORCE INDEX (alarm)
  WHERE s.alarm = 'stop' AND ${SHOWN} ORDER BY s.alarm_at LIMIT $1`;

const READY = "ready ";

export class SignaturePages {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  async get(ids: readonly string[]): Promise<SignatureRecord[]> {
    return (await this.#db.all<Row>(BY_IDS, list(ids.map(toSafe)))).map(toRecord);
  }

  async byKey(key: string): Promise<SignatureRecord | null> {
    const row = await this.#db.get<Row>(BY_ROOT_KEY, toSafe(key));
    return row === undefined ? null : toRecord(row);
  }

  async children({ parentId, of, statuses, after, limit }: ChildQuery): Promise<SignatureRecord[]> {
    if (of === "callbacks") {
      const beyond = String(after ?? "");
      return wholePage(
        limit,
        (most) =>
          this.#db.all<Row>(CALLBACKS, parentId, beyond, statuses === undefined, list(statuses ?? []), most),
        toRecord,
      );
    }
    const wanted = STATUSES.filter((status) => statuses?.includes(status) ?? true);
    if (wanted.length === 0) return [];
    const beyond = after === null ? -1 : Number(after);
    const turns = wanted.includes("PENDING") ? await startableTurns(this.#db, parentId) : [];
    const stretches = [
      ...wanted.map((status) => [status, 0] as const),
      ...wanted.filter((status) => status === "SUSPENDED").map((status) => [status, 1] as const),
      ...turns.map((turn) => ["STARTABLE", turn] as const),
    ];
    return wholePage(limit, (most) => this.#db.all<Row>(pageOf(parentId, stretches, beyond, most)), toRecord);
  }

  async tally(parentId: string, statuses: readonly Status[]): Promise<Map<Status, number>> {
    const groups = [...new Set(statuses)].flatMap((status) => [
      [status, status] as const,
      ...(status === "PENDING" ? [[status, "STARTABLE"] as const] : []),
    ]);
    const counted = await Promise.all(
      groups.map(([, group]) => this.#db.get<[number]>(COUNT, parentId, group)),
    );
    const counts = new Map<Status, number>();
    for (const [n, [status]] of groups.entries()) {
      const [count] = counted[n]!;
      if (count > 0) counts.set(status, (counts.get(status) ?? 0) + count);
    }
    return counts;
  }

  async scan(after: string | null, limit: number): Promise<SignatureRecord[]> {
    return wholePage(limit, (most) => this.#db.all<Row>(SCAN, after ?? "", most), toRecord);
  }

  async readyNames(): Promise<Map<string, number>> {
    const next = async (after: string): Promise<string | null> =>
      (await this.#db.get<[string]>(NEXT_READY_LINE, after))?.[0] ?? null;
    const lines = await jumps(next, READY);
    const counted = await Promise.all(lines.map((line) => this.#db.get<[number]>(COUNT_READY, line)));
    const names = lines.map((line, n) => [line.slice(READY.length), counted[n]![0]] as const);
    return new Map(names.filter(([, count]) => count > 0));
  }

  async stops(limit: number): Promise<SignatureRecord[]> {
    return wholePage(limit, (most) => this.#db.all<Row>(STOPS, most), toRecord);
  }

  async nextDue(): Promise<number | null> {
    return (await this.#db.get<[number | null]>(NEXT_DUE))![0];
  }
}

/** Slots are found first, stretch by stretch, so that no more rows are read than are shown. */
function pageOf(
  parentId: string,
  stretches: readonly (readonly [status: string, turn: number])[],
  beyond: number,
  limit: number,
): string {
  const selects = stretches.map(([status, turn]) => fill(STRETCH, [parentId, status, turn, beyond, limit]));
  return `SELECT ${COLUMNS} FROM (
    SELECT id, child_slot FROM (${selects.join("\n      UNION ALL ")}) AS pages ORDER BY child_slot ${fill("LIMIT $1", [limit])}
  ) AS page STRAIGHT_JOIN mageflow_signatures AS s FORCE INDEX (PRIMARY) ON s.id = page.id
  WHERE ${SHOWN} ORDER BY page.child_slot`;
}
