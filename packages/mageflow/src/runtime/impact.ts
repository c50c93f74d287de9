import { isCallback, standsInPlan } from "../core/ids.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";

/** What a cancellation would remove. */
export interface Impact {
  readonly workflows: number;
  /** Signatures under the roots, callbacks included. */
  readonly descendants: number;
  readonly running: number;
  readonly callbacks: number;
  /** Counted up to 10,000 of each workflow. */
  readonly logs: number;
  /** Whether any of the workflows has more log lines than were counted. */
  readonly moreLogs: boolean;
  /** Of inputs, results and errors. */
  readonly bytes: number;
}

/** Signatures under one root, and what of them it can grow by. */
export interface Count extends Omit<Impact, "logs" | "moreLogs" | "workflows"> {
  /** Steps and items. Callbacks come with what goes on in it anyway. */
  readonly planned: number;
}

/** A swarm that takes more items, and how many it had when it was counted. */
export interface Growing {
  readonly id: string;
  readonly total: number;
}

/** So many that one transaction can look at all of them again; a workflow with more is kept still while it is counted. */
export const MOST_GROWING = 1_000;
const PAGE = 500;
/** A store counts so many in a few milliseconds, and one of this process holds it up meanwhile. */
export const MOST_LOGS = 10_000;

/**
 * Counts a workflow page by page, with a turn of the event loop between: it may be of any size, and go on meanwhile. Notes what may have
 * grown behind the page that was read last, until it is more than can be looked at again.
 */
export async function count(
  store: Store,
  clock: Clock,
  root: SignatureRecord,
  growing: Growing[] = [],
): Promise<Count> {
  let [descendants, planned, running, callbacks] = [0, 0, root.status === "RUNNING" ? 1 : 0, 0];
  let bytes = size(root);
  note(root, growing);
  for (let after = root.id; ;) {
    const page = await store.scan({ after, limit: PAGE });
    const inside = page.filter(({ id }) => id.startsWith(`${root.id}.`));
    for (const record of inside) {
      descendants++;
      if (record.status === "RUNNING") running++;
      if (isCallback(record.role)) callbacks++;
      bytes += size(record);
      if (!standsInPlan(record.id)) continue;
      planned++;
      note(record, growing);
    }
    if (inside.length < PAGE) return { descendants, planned, running, callbacks, bytes };
    after = inside.at(-1)!.id;
    await clock.turn();
  }
}

function note({ id, family }: SignatureRecord, growing: Growing[]): void {
  if (family?.open === true && growing.length <= MOST_GROWING) growing.push({ id, total: family.total });
}

function size({ bound, message, result, error }: SignatureRecord): number {
  const texts = [bound, message, result, error === null ? null : JSON.stringify(error)];
  return texts.reduce((sum, text) => sum + (text === null ? 0 : Buffer.byteLength(text)), 0);
}
