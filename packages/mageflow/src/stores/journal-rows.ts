import type { Entry, EventType } from "../core/event.ts";
import type { Status } from "../core/status.ts";
import { jsonOf } from "./json-text.ts";

/** Entries of one row at most, so that a page of the journal never reads much more than it shows. */
const ROW_ENTRIES = 500;

/** Some entries as one row holds them: an entry takes some ten bytes. */
interface JournalRow {
  readonly count: number;
  readonly body: string;
}

/** The rows that hold the entries that a commit adds to a workflow, in their order. */
export function journalRows(rootId: string, entries: readonly Entry[]): JournalRow[] {
  const rows: JournalRow[] = [];
  for (let at = 0; at < entries.length; at += ROW_ENTRIES) {
    const part = entries.length <= ROW_ENTRIES ? entries : entries.slice(at, at + ROW_ENTRIES);
    rows.push({ count: part.length, body: encode(rootId, part) });
  }
  return rows;
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

/** The entries of a row; `first` is the number of the first. @throws UnreadableError */
export function journalEntries(rootId: string, first: number, body: string): Entry[] {
  const entries: Entry[] = [];
  const runs = jsonOf<Run[]>(rootId, `entry ${first} of its journal is`, body);
  for (const [type, status, generation, attempt, ids, fraction, note] of runs) {
    for (const short of ids) {
      const id = short.startsWith(STRANGER) ? short.slice(STRANGER.length) : rootId + short;
      const entry: Entry = { id, type, status, generation, attempt };
      entries.push(fraction === undefined ? entry : { ...entry, progress: { fraction, note: note ?? null } });
    }
  }
  return entries;
}
