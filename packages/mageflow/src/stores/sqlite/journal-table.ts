import type { Entry, EventType, FlowEvent } from "../../core/event.ts";
import type { Status } from "../../core/status.ts";
import { UnreadableError } from "../../ports/unreadable.ts";
import type { Connection } from "./connection.ts";

/** Entries of one row at most, so that a page of the journal never reads much more than it shows. */
const ROW_ENTRIES = 500;

const LAST = "SELECT seq + count - 1 FROM journal WHERE root_id = ? ORDER BY seq DESC LIMIT 1";

/** A row when the workflow is being stored or removed. */
const HIDDEN = "SELECT 1 FROM drafts WHERE root_id = ?";

const APPEND = "INSERT INTO journal (root_id, seq, count, at, body) VALUES (?, ?, ?, ?, ?)";

/** The row that holds the entry with this number, if there is such an entry. */
const HOLDING =
  "SELECT seq, count, at, body FROM journal WHERE root_id = ? AND seq <= ? ORDER BY seq DESC LIMIT 1";

/** One journal a workflow, gapless. A commit adds rows of many entries each: an entry takes some ten bytes. */
export class JournalTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  append(rootId: string, entries: readonly Entry[], now: number): void {
    let seq = this.#last(rootId) + 1;
    for (let at = 0; at < entries.length; at += ROW_ENTRIES) {
      const part = entries.length <= ROW_ENTRIES ? entries : entries.slice(at, at + ROW_ENTRIES);
      this.#db.run(APPEND, rootId, seq, part.length, now, encode(rootId, part));
      seq += part.length;
    }
  }

  read(rootId: string, after: number, limit: number): FlowEvent[] {
    const events: FlowEvent[] = [];
    if (this.#isHidden(rootId)) return events;
    let next = Math.max(0, after) + 1;
    while (events.length < limit) {
      const row = this.#db.get<[number, number, number, string]>(HOLDING, rootId, next);
      if (row === undefined) break;
      const [first, count, at, body] = row;
      if (next >= first + count) break;
      const from = next - first;
      for (const entry of decode(rootId, first, body).slice(from, from + limit - events.length)) {
        events.push({ ...entry, seq: next++, at });
      }
    }
    return events;
  }

  lastSeq(rootId: string): number {
    return this.#isHidden(rootId) ? 0 : this.#last(rootId);
  }

  #isHidden(rootId: string): boolean {
    return this.#db.get(HIDDEN, rootId) !== undefined;
  }

  #last(rootId: string): number {
    return this.#db.get<[number]>(LAST, rootId)?.[0] ?? 0;
  }
}

/** Neighbours that differ in their id only are one run. Of an id, what follows the root's; a stranger's is marked and whole. */
type Run = [
  type: EventType,
  status: Status,
  generation: number,
  attempt: number,
  ids: string[],
  ...progress: [fraction: number, note: string | null] | [],
];

const STRANGER = "=";

function encode(rootId: string, entries: readonly Entry[]): string {
  const runs: Run[] = [];
  let run: Run | undefined;
  for (const { id, type, status, generation, attempt, progress } of entries) {
    const short = id === rootId || id.startsWith(`${rootId}.`) ? id.slice(rootId.length) : STRANGER + id;
    const alike =
      progress === undefined &&
      run?.length === 5 &&
      run[0] === type &&
      run[1] === status &&
      run[2] === generation &&
      run[3] === attempt;
    if (alike) {
      run![4].push(short);
      continue;
    }
    const told: [number, string | null] | [] =
      progress === undefined ? [] : [progress.fraction, progress.note];
    run = [type, status, generation, attempt, [short], ...told];
    runs.push(run);
  }
  return JSON.stringify(runs);
}

/** `first` is the number of the first entry. */
function decode(rootId: string, first: number, body: string): Entry[] {
  const entries: Entry[] = [];
  for (const [type, status, generation, attempt, ids, fraction, note] of runsOf(rootId, first, body)) {
    for (const short of ids) {
      const id = short.startsWith(STRANGER) ? short.slice(STRANGER.length) : rootId + short;
      const entry: Entry = { id, type, status, generation, attempt };
      entries.push(fraction === undefined ? entry : { ...entry, progress: { fraction, note: note ?? null } });
    }
  }
  return entries;
}

function runsOf(rootId: string, first: number, body: string): Run[] {
  try {
    return JSON.parse(body) as Run[];
  } catch (cause) {
    throw new UnreadableError(rootId, `entry ${first} of its journal is not JSON`, { cause });
  }
}
