import { decideChain } from "./chain.ts";
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
  const decision = decideKind(view, record, signal);
  const to = decision.record.status;
  if (to !== record.status && !canMove(record.status, to)) {
    throw new Error(`invariant: ${signal.type} moved ${record.id} from ${record.status} to ${to}`);
  }
  return decision;
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
