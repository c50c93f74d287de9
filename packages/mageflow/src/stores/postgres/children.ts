/**
 * Conditions on steps and items, written as they stand in the indexes: each of them is in one of three, by what it may be waiting for. What
 * stands below another one as its callback is in none.
 */

export const IS_CHILD = "(role = 'step' OR role = 'item')";

/** It waits for its turn, and nothing holds it. */
export const IS_STARTABLE: string = `status = 'PENDING' AND held_by IS NULL AND ${IS_CHILD}`;

/** It runs under a worker, whether or not it is a step or an item: of those there are as many as all workers together have places. */
export const IS_UNDER_WORKER = "status = 'RUNNING' AND worker_id IS NOT NULL";

/** It is neither startable nor under a worker. */
export const IS_OTHER_CHILD: string = `(status <> 'PENDING' OR held_by IS NOT NULL) AND (status <> 'RUNNING' OR worker_id IS NULL) AND ${IS_CHILD}`;

/**
 * The stretches of indexes that hold the children of a status: their conditions. Startable ones stand in an order of their own. The planner
 * is not told which status it is: else it may take an index of all that have it, in whatever workflow, when it knows of none yet.
 */
export function childrenWith(status: string): string[] {
  const others = `status = (SELECT '${status}') AND ${IS_OTHER_CHILD}`;
  return status === "RUNNING" ? [others, `${IS_UNDER_WORKER} AND ${IS_CHILD}`] : [others];
}
