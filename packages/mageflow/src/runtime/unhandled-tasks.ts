import type { Store } from "../ports/store.ts";

/** Worker sessions that are looked at, newest first. */
const SESSIONS = 500;
/** Tasks that are counted. */
const MOST = 1_000;

/** What no live worker runs: tasks that are ready, and tasks that were lost with their worker. */
export async function unhandledTasks(store: Store, now: number): Promise<Map<string, number>> {
  const sessions = (await store.workers(SESSIONS)).filter(({ endedAt }) => endedAt === null);
  const live = new Set<string>();
  for (const { leaseUntil, tasks } of sessions) {
    if (leaseUntil > now) for (const name of tasks) live.add(name);
  }
  const unhandled = await store.readyNames();
  for (const name of live) unhandled.delete(name);
  const lost = sessions.filter(({ leaseUntil }) => leaseUntil <= now);
  const names = [...new Set(lost.flatMap(({ tasks }) => tasks))].filter((name) => !live.has(name));
  if (names.length === 0) return unhandled;
  const left = new Set(lost.map(({ id }) => id));
  for (const { name, workerId } of await store.list({
    roots: false,
    statuses: ["RUNNING"],
    kinds: ["task"],
    names,
    after: null,
    limit: MOST,
  })) {
    if (left.has(workerId!)) unhandled.set(name, Math.min(MOST, (unhandled.get(name) ?? 0) + 1));
  }
  return unhandled;
}
