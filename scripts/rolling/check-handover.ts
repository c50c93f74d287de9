import type { MageFlow } from "mageflow";
import type { Row } from "../chaos/ledger.ts";
import type { Unlawful } from "./laws.ts";

/**
 * A run is at work from its start to its end, to its release when its worker stops, or to the end of its process. What code that
 * ignores its signal does after its release is nobody's; what heeds it does its deferred work before its process ends.
 */
export async function checkHandover(
  mage: MageFlow,
  rows: readonly Row[],
  report: (found: Unlawful) => void,
): Promise<void> {
  /** By task: the run that is at work. */
  const working = new Map<string, Row>();
  const heeded = new Set<string>();
  const left = new Set<string>();
  for (const row of rows) {
    const { what, id, epoch, pid } = row;
    const run = `${id} ${epoch}`;
    if (what === "start") {
      const before = working.get(id!);
      if (before !== undefined)
        report({
          kind: "together",
          detail: `${id} began in epoch ${epoch} while epoch ${before.epoch} was at work`,
        });
      working.set(id!, row);
    } else if (what === "end" || what === "fail" || what === "released") {
      if (working.get(id!)?.epoch === epoch) working.delete(id!);
    } else if (what === "dead") {
      for (const [task, by] of working) if (by.pid === pid) working.delete(task);
    } else if (what === "heeded") heeded.add(run);
    else if (what === "left") left.add(run);
  }
  for (const run of heeded.difference(left))
    report({ kind: "notDeferred", detail: `${run} heeded its signal, and did not do what it had deferred` });
  for (const { id, pid, endedAt } of await mage.workers())
    if (endedAt === null) report({ kind: "sessions", detail: `${id} of process ${pid} has not ended` });
  let cursor: string | null = "";
  while (cursor !== null) {
    const page = await mage.list({ roots: false, limit: 500, ...(cursor === "" ? {} : { cursor }) });
    for (const { id, recoveries, status } of page.items)
      if (recoveries > 0) report({ kind: "recovered", detail: `${id}, ${status}, ${recoveries} times` });
    cursor = page.next;
  }
}
