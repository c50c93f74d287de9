import { decideChain } from "./chain.ts";
import { extend, mark, restore, retained } from "./deletion.ts";
import { rerun } from "./generation.ts";
import type { SignatureRecord } from "./record.ts";
import type { Decision, Signal } from "./signal.ts";
import { canMove } from "./status.ts";
import { decideSwarm } from "./swarm.ts";
import { decideTask } from "./task.ts";
import type { View } from "./view.ts";

/**
 * What follows from one signal to one signature. Pure: the same view, record and signal give the same decision.
 *
 * @throws IllegalTransitionError, AlreadyRunningError, SwarmClosedError for control signals that the status does not allow.
 */
export function decide(view: View, record: SignatureRecord, signal: Signal): Decision {
  const decision = decideOne(view, record, signal);
  const { status: to, generation } = decision.record;
  if (to !== record.status && generation === record.generation && !canMove(record.status, to)) {
    throw new Error(`invariant: ${signal.type} moved ${record.id} from ${record.status} to ${to}`);
  }
  return decision.record === record ? decision : retained(view, record, decision);
}

/** What is alike for all kinds, or else what the kind decides. */
function decideOne(view: View, record: SignatureRecord, signal: Signal): Decision {
  switch (signal.type) {
    case "rerun":
      return rerun(record, signal.message);
    case "delete":
      return mark(view, record, signal);
    case "restore":
      return restore(record);
    case "extend":
      return extend(record, signal.purgeAt);
    default:
      return decideKind(view, record, signal);
  }
}

function decideKind(view: View, record: SignatureRecord, signal: Signal): Decision {
  switch (record.kind) {
    case "task":
      return decideTask(view, record, signal);
    case "chain":
      return decideChain(view, record, signal);
    case "swarm":
      return decideSwarm(view, record, signal);
  }
}
