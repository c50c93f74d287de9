import type { Connection } from "./connection.ts";

/**
 * Goes from one value of an index to the next, so that it takes a step a value and not a step a row: there are few values, whatever the
 * number of rows. Each step is a statement, because only for a value that it is told does the planner look up where to go on.
 */
export async function jumps<V>(
  next: (after: V) => Promise<V | null>,
  start: V,
  limit: number = Infinity,
): Promise<V[]> {
  const values: V[] = [];
  for (let after = start; values.length < limit;) {
    const value = await next(after);
    if (value === null) break;
    values.push(value);
    after = value;
  }
  return values;
}

const NEXT_TURN = `SELECT s.child_turn FROM mageflow_signatures AS s FORCE INDEX (children)
  WHERE s.parent_id = $1 AND s.child_status = 'STARTABLE' AND s.child_turn > $2 ORDER BY s.child_turn LIMIT 1`;

/** Turns that startable children of a parent have. */
export async function startableTurns(db: Connection, parentId: string): Promise<number[]> {
  return jumps<number>(
    async (after) => (await db.get<[number]>(NEXT_TURN, parentId, after))?.[0] ?? null,
    Number.MIN_SAFE_INTEGER,
  );
}
