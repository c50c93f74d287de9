import type { MageFlow } from "mageflow";
import type { Violation } from "./violation.ts";

/** As a process warns of what it has mended (`runtime/warning.ts`). */
const MENDED = /^.*would have waited for ever.*$/gm;

/** What a process that has ended had mended, by what it said. */
export function checkMended(errors: string, report: (found: Violation) => void): void {
  for (const [detail] of errors.matchAll(MENDED)) report({ kind: "mended", detail });
}

/** What this process had to mend. */
export async function checkOwnMended(mage: MageFlow, report: (found: Violation) => void): Promise<void> {
  const { mended } = await mage.metrics();
  if (mended > 0) report({ kind: "mended", detail: `${mended} by the process that waited for the end` });
}
