import type { Entry, FlowEvent } from "../../core/event.ts";
import { journalEntries, journalRows } from "../journal-rows.ts";
import type { Connection } from "./connection.ts";
import { fill, Literal, type Parameter, rows } from "./literals.ts";

/**
 * Numbers the entries that each workflow gets, and keeps everybody else from numbering until the transaction ends. In the order of ids, so
 * that two who write to several do not wait for each other.
 */
const NUMBER = `INSERT INTO mageflow_journal_heads (root_id, last) VALUES $1
  ON DUPLICATE KEY UPDATE last = last + VALUES(last)`;

/** Each row by how far from the end of the new ones it begins. */
const APPEND = "INSERT INTO mageflow_journal (root_id, seq, count, at, body) VALUES $1";

const SEQ = "(SELECT last FROM mageflow_journal_heads WHERE root_id = $1) - $2 + 1";

const HIDDEN = "EXISTS (SELECT 1 FROM mageflow_drafts WHERE mageflow_drafts.root_id = $1)";

const LAST = `SELECT last FROM mageflow_journal_heads WHERE root_id = $1 AND NOT ${HIDDEN}`;

/** The rows that hold the entries of a page: numbers have no gaps. */
const PAGE = `SELECT seq, at, body FROM mageflow_journal
  WHERE root_id = $1 AND NOT ${HIDDEN} AND seq < $2 + $3
    AND seq >= COALESCE((SELECT MAX(seq) FROM mageflow_journal WHERE root_id = $1 AND seq <= $2), 1)
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
    const heads = rows(rootIds.map((rootId) => [rootId, journal.get(rootId)?.length ?? 0]));
    return [
      ...heads.map((some) => this.#db.later(NUMBER, some)),
      ...rows([...journal].flatMap(([rootId, entries]) => partsOf(rootId, entries, now))).map((some) =>
        this.#db.later(APPEND, some),
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

/** The rows of what is added to one workflow. */
function partsOf(rootId: string, entries: readonly Entry[], now: number): Parameter[][] {
  let fromEnd = entries.length;
  return journalRows(rootId, entries).map(({ count, body }) => {
    const seq = new Literal(fill(SEQ, [rootId, fromEnd]));
    fromEnd -= count;
    return [rootId, seq, count, now, body];
  });
}

function bytewise(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
