import type { SignatureRecord } from "../core/record.ts";
import type { EndedStatus } from "../core/status.ts";
import type { Store } from "../ports/store.ts";
import type { Finding } from "./verify-signature.ts";

/** How many signatures of a workflow have ended in each way. */
export interface Outcomes {
  readonly counts: Map<string, number>;
  /** True when something has gone on to another generation: earlier outcomes are in the journal only. */
  repeated: boolean;
}

const OUTCOME_EVENTS: Readonly<Record<EndedStatus, string>> = {
  SUCCEEDED: "succeeded",
  FAILED: "failed",
  SKIPPED: "skipped",
  CANCELLED: "cancelled",
};

const PAGE = 500;
/** Findings that one journal gives at most: what follows a gap is likely to be broken by the same cause. */
const MOST = 10;

export function newOutcomes(): Outcomes {
  return { counts: new Map(), repeated: false };
}

export function countOutcome(outcomes: Outcomes, { status, generation }: SignatureRecord): void {
  if (generation > 1) outcomes.repeated = true;
  if (status in OUTCOME_EVENTS) add(outcomes.counts, OUTCOME_EVENTS[status as EndedStatus]);
}

/**
 * Reads a workflow's journal: numbered from 1 without a gap, with one outcome for every signature that has ended. `outcomes` are
 * those of the records, or null when they may have changed since they were counted.
 */
export async function checkJournal(
  store: Store,
  rootId: string,
  outcomes: Outcomes | null,
): Promise<{ events: number; findings: Finding[] }> {
  const findings: Finding[] = [];
  const told = new Map<string, number>();
  let last = 0;
  let events = 0;
  for (;;) {
    const page = await store.journal({ rootId, after: last, limit: PAGE });
    for (const event of page) {
      if (event.seq !== last + 1 && findings.length < MOST) {
        findings.push({
          invariant: "I13",
          severity: "breach",
          message: `its journal jumps from entry ${last} to ${event.seq}`,
        });
      }
      last = event.seq;
      add(told, event.type);
    }
    events += page.length;
    if (page.length < PAGE) break;
  }
  if (events === 0) findings.push({ invariant: "I13", severity: "breach", message: "its journal is empty" });
  if (outcomes !== null) {
    for (const type of Object.values(OUTCOME_EVENTS)) {
      const [entries, records] = [told.get(type) ?? 0, outcomes.counts.get(type) ?? 0];
      if (entries === records || (outcomes.repeated && entries > records)) continue;
      findings.push({
        invariant: "I2",
        severity: "breach",
        message: `its journal tells ${entries} times that something ${type}, but that is true of ${records} signatures`,
      });
    }
  }
  return { events, findings };
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
