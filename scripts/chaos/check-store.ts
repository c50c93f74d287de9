import type { MageFlow } from "mageflow";
import { isNotYetKnown } from "./not-yet-known.ts";
import type { Violation } from "./violation.ts";

/** What `mageflow verify` finds. */
export async function checkStore(
  mage: MageFlow,
  steered: ReadonlySet<string>,
  report: (found: Violation) => void,
): Promise<void> {
  for await (const breach of mage.verify()) {
    const { severity, invariant, id, message } = breach;
    if (severity === "breach" && !isNotYetKnown(breach, steered))
      report({ kind: "breaches", detail: `${invariant} ${id}: ${message}` });
  }
}
