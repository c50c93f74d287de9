import type { Entry, FlowEvent } from "../../core/event.ts";
import { journalEntries, journalRows } from "../journal-rows.ts";
import { arrayOf, textArray } from "./arrays.ts";
import type { Connection } from "./connection.ts";

/**
 * Numbers the entries that each workflow gets, and keeps everybody else from numbering until the transaction ends; then stores them, each
 * row by how far from the end of the new ones it begins. Counts, in passing, what is about to be committed. In the order of ids, so that two who write to several do not wait for each other.
 */
const APPEND = `WITH heads AS (
    INSERT INTO journal_heads (root_id, last) SELECT * FROM unnest($1::text[], $2::int8[])
    ON CONFLICT (root_id) DO UPDATE SET last = journal_heads.last + excluded.last
    RETURNING root_id, last
  ), added AS (
    INSERT INTO journal (root_id, seq, count, at, body)
    SELECT part.root_id, heads.last - part.from_end + 1, part.count, $7, part.body
    FROM unnest($3::text[], $4::int4[], $5::int4[], $6::text[]) AS part (root_id, from_end, count, body)
      JOIN heads ON heads.root_id = part.root_id
  )
  SELECT nextval('commits')`;

const HIDDEN = "EXISTS (SELECT FROM drafts WHERE drafts.root_id = $1)";

const LAST = `SELECT last FROM journal_heads WHERE root_id = $1 AND NOT ${HIDDEN}`;

/** The rows that hold the entries of a page: numbers have no gaps. */
const PAGE = `SELECT seq, at, body FROM journal
  WHERE root_id = $1 AND NOT ${HIDDEN} AND seq < $2::bigint + $3
    AND seq >= coalesce((SELECT max(seq) FROM journal WHERE root_id = $1 AND seq <= $2), 1)
  ORDER BY seq`;

/** One journal a workflow, gapless. A commit adds rows of many entries each: an entry takes some ten bytes. */
export class JournalTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Adds entries by workflow. Of `touched` workflows no other transaction adds anything before this one has ended. */
  append(
    journal: ReadonlyMap<string, readonly Entry[]>,
    touched: Iterable<string>,
    now: number,
  ): Promise<unknown>[] {
    const rootIds = [...new Set([...journal.keys(), ...touched])].sort(bytewise);
    if (rootIds.length === 0) return [];
    const parts = [...journal].flatMap(([rootId, entries]) => partsOf(rootId, entries));
    return [
      this.#db.all(
        APPEND,
        textArray(rootIds),
        arrayOf(
          "int8",
          rootIds.map((rootId) => journal.get(rootId)?.length ?? 0),
        ),
        textArray(parts.map(({ rootId }) => rootId)),
        arrayOf(
          "int4",
          parts.map(({ fromEnd }) => fromEnd),
        ),
        arrayOf(
          "int4",
          parts.map(({ count }) => count),
        ),
        textArray(parts.map(({ body }) => body)),
        now,
      ),
    ];
  }

  async read(rootId: string, after: number, limit: number): Promise<FlowEvent[]> {
    const next = Math.max(0, after) + 1;
    const events: FlowEvent[] = [];
    for (const [first, at, body] of await this.#db.all<[number, number, string]>(PAGE, rootId, next, limit)) {
      for (const [n, entry] of journalEntries(rootId, first, body).entries()) {
        const seq = first + n;
        if (seq >= next && seq < next + limit) events.push({ ...entry, seq, at });
      }
    }
    return events;
  }

  async lastSeq(rootId: string): Promise<number> {
    return (await this.#db.get<[number]>(LAST, rootId))?.[0] ?? 0;
  }
}

interface Part {
  readonly rootId: string;
  /** How many entries there are from its first to the last of all. */
  readonly fromEnd: number;
  readonly count: number;
  readonly body: string;
}

function partsOf(rootId: string, entries: readonly Entry[]): Part[] {
  let fromEnd = entries.length;
  return journalRows(rootId, entries).map(({ count, body }) => {
    const part = { rootId, fromEnd, count, body };
    fromEnd -= count;
    return part;
  });
}

function bytewise(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
