import { random } from "../chaos/random.ts";

/** A workflow of the stream: its key, and how many signatures it has. */
export interface Arrival {
  readonly key: string;
  readonly size: number;
}

/** Most are small, some have a few thousand signatures (a Pareto tail that is cut at 100,000), and one in the middle is the giant. */
export function stream(workflows: number, giant: number, seed: number): Arrival[] {
  const draws = random(seed, "sizes");
  const arrivals = Array.from({ length: workflows }, (_, n) => ({
    key: `order ${n}`,
    size: Math.min(100_000, Math.ceil(3 / Math.pow(1 - draws.next(), 1 / 1.2))),
  }));
  arrivals[workflows >> 1] = { key: "giant", size: giant };
  return arrivals;
}
