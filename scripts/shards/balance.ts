import { modulo, rendezvous } from "./placement.ts";
import type { Arrival } from "./stream.ts";

/** How a stream spreads over so many shards. */
export interface Balance {
  readonly shards: number;
  readonly workflowsMaxOverMean: number;
  readonly signaturesMaxOverMean: number;
  readonly withoutGiantMaxOverMean: number;
  /** How long all of it takes at the rate of one database each, the fullest being the last: in signatures a second. */
  readonly boundPerSecond: number;
  /** The same for a stream without the giant. */
  readonly boundWithoutGiant: number;
}

export function balance(arrivals: readonly Arrival[], shards: number, rate: number): Balance {
  const counted = { workflows: zeros(shards), all: zeros(shards), small: zeros(shards) };
  for (const { key, size } of arrivals) {
    const shard = rendezvous(key, shards);
    counted.workflows[shard]!++;
    counted.all[shard]! += size;
    if (key !== "giant") counted.small[shard]! += size;
  }
  return {
    shards,
    workflowsMaxOverMean: excess(counted.workflows),
    signaturesMaxOverMean: excess(counted.all),
    withoutGiantMaxOverMean: excess(counted.small),
    boundPerSecond: Math.round((rate * shards) / excess(counted.all)),
    boundWithoutGiant: Math.round((rate * shards) / excess(counted.small)),
  };
}

/** What another shard costs those who place by hash alone: the part that lives somewhere else afterwards, and how long moving it takes. */
export interface Growth {
  readonly from: number;
  readonly to: number;
  readonly movedByRendezvous: number;
  readonly movedByModulo: number;
  /** Signatures are read on one side and stored on the other, at the rate of storing. */
  readonly secondsByRendezvous: number;
  readonly secondsByModulo: number;
  /** With the shard in the id nothing moves, and the new one has its share when this part of what is there has ended and been replaced. */
  readonly movedWithShardInId: 0;
}

export function growth(arrivals: readonly Arrival[], shards: number, storing: number): Growth {
  const moved = { rendezvous: 0, modulo: 0 };
  const signatures = { rendezvous: 0, modulo: 0 };
  for (const { key, size } of arrivals) {
    for (const [name, place] of Object.entries({ rendezvous, modulo }) as [
      "rendezvous",
      typeof rendezvous,
    ][]) {
      if (place(key, shards) === place(key, shards + 1)) continue;
      moved[name]++;
      signatures[name] += size;
    }
  }
  const part = (count: number): number => Math.round((count / arrivals.length) * 1_000) / 1_000;
  return {
    from: shards,
    to: shards + 1,
    movedByRendezvous: part(moved.rendezvous),
    movedByModulo: part(moved.modulo),
    secondsByRendezvous: Math.round(signatures.rendezvous / storing),
    secondsByModulo: Math.round(signatures.modulo / storing),
    movedWithShardInId: 0,
  };
}

function zeros(count: number): number[] {
  return Array.from({ length: count }, () => 0);
}

/** The fullest over the mean. */
function excess(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return Math.round((Math.max(...counts) / mean) * 1_000) / 1_000;
}
