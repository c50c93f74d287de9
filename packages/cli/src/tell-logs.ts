import type { LogRow, MageFlow } from "mageflow";
import { pause } from "./pause.ts";

const PAGE = 1_000;
const POLL_MS = 200;

/** The number of the last log line of a store, found in a few dozen reads. */
export async function lastLogSeq(mage: MageFlow): Promise<number> {
  const seqBeyond = async (after: number): Promise<number | null> =>
    (await mage.logs({ after, limit: 1 }))[0]?.seq ?? null;
  let last = 0;
  let beyond = 1;
  for (let seq = await seqBeyond(last); seq !== null; seq = await seqBeyond(beyond)) {
    last = seq;
    beyond = seq * 2;
  }
  // There is a line with the number `last`, and none beyond `beyond`.
  while (last < beyond) {
    const middle = Math.floor((last + beyond) / 2);
    const seq = await seqBeyond(middle);
    if (seq === null) beyond = middle;
    else last = seq;
  }
  return last;
}

export interface Telling {
  /** Tells what has come until now, and ends. */
  end(): Promise<void>;
}

/** Tells of log lines as they are stored, those beyond `after`. */
export function tellLogs(
  read: (query: { after: number; limit: number }) => Promise<LogRow[]>,
  after: number,
  tell: (row: LogRow) => void,
): Telling {
  const over = new AbortController();
  let last = after;
  const catchUp = async (): Promise<void> => {
    for (let page: LogRow[] | null = null; page === null || page.length === PAGE;) {
      page = await read({ after: last, limit: PAGE });
      for (const row of page) tell(row);
      last = page.at(-1)?.seq ?? last;
    }
  };
  const loop = async (): Promise<void> => {
    while (!over.signal.aborted) {
      // What cannot be read now is read by the next round.
      await catchUp().catch(() => {});
      await pause(POLL_MS, over.signal);
    }
  };
  const looped = loop();
  return {
    end: async () => {
      over.abort();
      await looped;
      await catchUp().catch(() => {});
    },
  };
}
