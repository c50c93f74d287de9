import { type ContainerKind, decideContainer } from "./container.ts";
import { childId } from "./ids.ts";
import { conclude, credited } from "./outcome.ts";
import type { SignatureRecord } from "./record.ts";
import { after, type Credit, type Decision, type Signal, unchanged } from "./signal.ts";
import { sweep } from "./sweep.ts";
import type { View } from "./view.ts";

/**
 * Decides for one chain. Its steps run one after the other; the current one is the step in the slot `succeeded`. A failed
 * step fails the chain, and the steps behind it are skipped.
 */
export function decideChain(view: View, record: SignatureRecord, signal: Signal): Decision {
  return decideContainer(CHAIN, view, record, signal);
}

/** A chain starts its one next step by name, never a window. */
const CHAIN: ContainerKind = {
  absorb,
  recounted,
  unheld: (_view, record) => record,
  advance,
  started: (_view, record) => record,
  startable: () => 0,
};

/** The last step's result and a failed step's error are the chain's own, kept until the chain may end. */
function absorb(_view: View, record: SignatureRecord, credits: readonly Credit[]): SignatureRecord {
  let { result, error } = record;
  const family = credited(record, credits, (counters, child) => {
    if (child.status === "SUCCEEDED") {
      counters.succeeded++;
      if (child.slot === counters.total - 1) result = child.result;
    } else if (child.status === "FAILED") {
      counters.failed++;
      error = child.error;
    } else {
      counters.skipped++;
    }
  });
  return { ...record, family, result, error };
}

/** The step that decides its outcome is the one that failed, or the last. */
function recounted(view: View, record: SignatureRecord): SignatureRecord {
  const { total, succeeded } = record.family!;
  const step = view.get(childId(record.id, Math.min(succeeded, total - 1)));
  if (step?.status === "FAILED") return { ...record, error: step.error };
  return step?.status === "SUCCEEDED" ? { ...record, result: step.result } : record;
}

function advance(view: View, record: SignatureRecord): Decision {
  const { total, succeeded, failed } = record.family!;
  if (failed > 0) {
    const ended = conclude(view, record, { status: "FAILED", error: record.error! });
    return succeeded + failed === total ? ended : after(ended, sweep({ ...ended.record, sweep: "skip" }));
  }
  if (succeeded === total) return conclude(view, record, { status: "SUCCEEDED", result: record.result });
  return { ...unchanged(record), send: [{ to: childId(record.id, succeeded), signal: { type: "start" } }] };
}
