import type { MageFlow } from "mageflow";
import type { Violation } from "./violation.ts";

/** What `mageflow verify` finds. */
export async function checkStore(mage: MageFlow, report: (found: Violation) => void): Promise<void> {
  for await (const { severity, invariant, id, message } of mage.verify()) {
    if (severity === "breach") report({ kind: "breaches", detail: `${invariant} ${id}: ${message}` });
  }
}
