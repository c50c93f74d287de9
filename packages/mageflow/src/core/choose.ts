import type { SignatureRecord } from "./record.ts";

/** What a worker has room for: in all, and for each task that it can run. */
export interface Demand {
  readonly workerId: string;
  readonly slots: number;
  /** Free slots by task name; a name that is missing is not run by this worker. */
  readonly tasks: ReadonlyMap<string, number>;
}

/** Ready tasks in the order in which workers take them: priority, then age, then slot, then id. */
export function byTurn(a: SignatureRecord, b: SignatureRecord): number {
  return (
    b.priority - a.priority ||
    a.readyAt! - b.readyAt! ||
    a.slot - b.slot ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

/** The tasks that a worker takes of those that are ready, best first. */
export function choose(ready: readonly SignatureRecord[], demand: Demand): SignatureRecord[] {
  const left = new Map(demand.tasks);
  const chosen: SignatureRecord[] = [];
  for (const candidate of ready.toSorted(byTurn)) {
    if (chosen.length === demand.slots) break;
    const slots = left.get(candidate.name) ?? 0;
    if (slots === 0) continue;
    left.set(candidate.name, slots - 1);
    chosen.push(candidate);
  }
  return chosen;
}
