/** How much goes on in this thread or process, by kind. What does not keep it alive is not known. */
export type Activity = ReadonlyMap<string, number>;

/** Timers, handles, child processes and requests to the system, and who listens to the process. */
export function activity(): Activity {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  for (const event of process.eventNames())
    counts.set(`listeners of ${String(event)}`, process.listenerCount(event));
  return counts;
}

/** True when something goes on now that did not before. */
export function isMore(now: Activity, before: Activity): boolean {
  return [...now].some(([kind, count]) => count > (before.get(kind) ?? 0));
}
