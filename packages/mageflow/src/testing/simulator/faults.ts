import { random } from "./random.ts";

/** What goes wrong under one seed. Each kind is switched on for some seeds only, so that rare mixes come up. */
export interface FaultMix {
  /** Probabilities per store call. */
  readonly busy: number;
  readonly unknownKept: number;
  readonly unknownLost: number;
  readonly busyContainer: number;
  readonly bellLost: number;
  readonly bellDelayed: number;
  readonly bellTwice: number;
  /** Answers of reads that arrive after other things have happened. */
  readonly lateAnswer: number;
  /** Answers that take time. */
  readonly slow: number;
  /** How many of each happen while the world is ill. */
  readonly crashes: number;
  readonly drains: number;
  readonly freezes: number;
  readonly outages: number;
  readonly clockSteps: number;
}

export const NO_FAULTS: FaultMix = {
  busy: 0,
  unknownKept: 0,
  unknownLost: 0,
  busyContainer: 0,
  bellLost: 0,
  bellDelayed: 0,
  bellTwice: 0,
  lateAnswer: 0,
  slow: 0,
  crashes: 0,
  drains: 0,
  freezes: 0,
  outages: 0,
  clockSteps: 0,
};

export function faultMix(seed: number): FaultMix {
  const draw = random(seed, "faults");
  const some = (most: number): number => (draw.chance(0.4) ? draw.next() * most : 0);
  const few = (most: number): number => (draw.chance(0.5) ? draw.whole(1, most) : 0);
  return {
    busy: some(0.3),
    unknownKept: some(0.2),
    unknownLost: some(0.2),
    busyContainer: some(0.7),
    bellLost: draw.chance(0.25) ? 1 : some(0.8),
    bellDelayed: some(0.8),
    bellTwice: some(0.5),
    lateAnswer: some(0.5),
    slow: some(0.5),
    crashes: few(6),
    drains: few(2),
    freezes: few(3),
    outages: few(3),
    clockSteps: few(3),
  };
}
