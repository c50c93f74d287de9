import type { Row } from "./ledger.ts";
import type { Stored } from "./stored.ts";
import type { Violation } from "./violation.ts";

/**
 * Never more items of a swarm at work than it allows. An item is at work from the start of a handler to its end, to the
 * death of its process, or to the start of its next epoch: what a paused worker does after that is nobody's. `caps` has
 * the concurrency by swarm.
 */
export function checkCaps(
  rows: readonly Row[],
  stored: Stored,
  caps: ReadonlyMap<string, number>,
  report: (found: Violation) => void,
): void {
  const working = new Map<string, Map<string, { pid: number; epoch: number }>>();
  const epochs = new Map<string, number>();
  for (const { what, id, pid, epoch } of rows) {
    if (what === "dead") {
      for (const items of working.values()) {
        for (const [item, by] of items) if (by.pid === pid) items.delete(item);
      }
      continue;
    }
    const swarm = id === undefined ? undefined : swarmOf(stored, id, caps);
    if (swarm === undefined) continue;
    const items = working.get(swarm) ?? new Map<string, { pid: number; epoch: number }>();
    working.set(swarm, items);
    if (what === "start" && epoch! > (epochs.get(id!) ?? 0)) {
      epochs.set(id!, epoch!);
      items.set(id!, { pid, epoch: epoch! });
      if (items.size > caps.get(swarm)!) {
        report({
          kind: "overCap",
          detail: `${swarm} has ${items.size} items at work, more than its ${caps.get(swarm)}`,
        });
      }
    } else if ((what === "end" || what === "fail") && items.get(id!)?.epoch === epoch) items.delete(id!);
  }
}

/** The swarm in one of whose items this task is. Of an item that is a chain, one task works at a time. */
function swarmOf(stored: Stored, id: string, caps: ReadonlyMap<string, number>): string | undefined {
  let view = stored.views.get(id);
  while (view?.role === "step") view = stored.views.get(view.parentId!);
  return view?.role === "item" && caps.has(view.parentId!) ? view.parentId! : undefined;
}
