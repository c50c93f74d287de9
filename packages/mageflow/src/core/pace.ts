/** How many go on a second; with `"full"` jitter each goes at a random moment of its turn. */
export interface Pace {
  readonly perSecond: number;
  readonly jitter: "full" | "none";
}

/**
 * A token bucket for one: the turn of the next one, and the instant from which on there is one again. `free` is that instant of the
 * one before, `draw` a number in [0, 1). Instants are in ms, `free` with a fraction.
 */
export function nextTurn(
  { perSecond, jitter }: Pace,
  free: number,
  now: number,
  draw: number,
): { at: number; free: number } {
  const turn = Math.max(free, now);
  const length = 1_000 / perSecond;
  return { at: Math.floor(turn + (jitter === "full" ? draw * length : 0)), free: turn + length };
}
