import type { Demand } from "../core/choose.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Delivery } from "../ports/engine.ts";
import { assign, type Assignment } from "./assignment.ts";
import type { Batch } from "./batch.ts";
import { claimOffered } from "./claim-offered.ts";
import type { Offers } from "./offers.ts";

/** Takes tasks of the batch that is being committed. */
export interface Claimer {
  /** What there is room for, or null when it wants nothing now; `ready` tells that this transaction made tasks ready. */
  demand(ready?: boolean): Demand | null;
  /** What there is room for, whether it wants anything or not; null when there is none. */
  room(): Demand | null;
  /** It is about to be looked for what is ready anywhere: who rings from now on is not answered by that. */
  heed(): void;
  /** False when the store is known to have nothing ready for it. */
  readonly hungry: boolean;
  /** What an engine brings it, of which alone it claims; null when it takes what the store has. */
  readonly offers: Offers | null;
  /** It has room, and nothing is on its way to it. */
  readonly idle: boolean;
  /** Tasks may have become ready somewhere. */
  ring(): void;
  /** Called after the commit when its session was found dead: what it held belongs to others. */
  lose(): void;
  /** Called after the commit. */
  receive(claims: Claims): void;
}

/** What a claimer gets of a transaction. */
export interface Claims {
  readonly assignments: readonly Assignment[];
  /** Other tasks may be ready. */
  readonly more: boolean;
  /** Whether whatever is ready was looked at, and not only what the transaction itself has made ready. */
  readonly asked: boolean;
}

/** Claims of one claimer, before they are committed. */
export interface Claiming extends Claims {
  readonly claimer: Claimer;
  /** Of what an engine has brought, what was not as it was published. */
  readonly stale: readonly Delivery[];
}

/** Who makes transactions, one after the other. */
type Lane = object;

/**
 * The claimers of a process, and the places that transactions under way have taken of each: two that go on side by side never fill the
 * same place.
 */
export class Claimers implements Iterable<Claimer> {
  readonly #taken = new Map<Claimer, Map<Lane, Demand>>();

  [Symbol.iterator](): Iterator<Claimer> {
    return this.#taken.keys();
  }

  get size(): number {
    return this.#taken.size;
  }

  /** Returns what takes it away again. */
  add(claimer: Claimer): () => void {
    this.#taken.set(claimer, new Map());
    return () => this.#taken.delete(claimer);
  }

  /** Whether one of them wants what this lane could claim now. */
  want(lane: Lane): boolean {
    for (const claimer of this) if (this.#left(claimer, lane, claimer.demand()) !== null) return true;
    return false;
  }

  /** Takes all places that are left for what is ready anywhere, when it wants any. */
  take(claimer: Claimer, lane: Lane, ready: boolean): Demand | null {
    const demand = this.#take(claimer, lane, claimer.demand(ready));
    if (demand !== null) claimer.heed();
    return demand;
  }

  /** Takes all places that are left for what one transaction has made ready. What an engine brings is not claimed so. */
  takeRoom(claimer: Claimer, lane: Lane): Demand | null {
    return claimer.offers === null ? this.#take(claimer, lane, claimer.room()) : null;
  }

  /** Gives back the places that no claim needs. */
  keep(claimer: Claimer, lane: Lane, claimed: readonly SignatureRecord[], { workerId }: Demand): void {
    const tasks = new Map<string, number>();
    for (const { name } of claimed) tasks.set(name, (tasks.get(name) ?? 0) + 1);
    this.#taken.get(claimer)?.set(lane, { workerId, slots: claimed.length, tasks });
  }

  /** Gives back all that a lane has taken: its transaction has ended, or begins once more. */
  giveBack(lane: Lane): void {
    for (const taken of this.#taken.values()) taken.delete(lane);
  }

  #take(claimer: Claimer, lane: Lane, demand: Demand | null): Demand | null {
    const left = this.#left(claimer, lane, demand);
    if (left !== null) this.#taken.get(claimer)?.set(lane, left);
    return left;
  }

  #left(claimer: Claimer, lane: Lane, demand: Demand | null): Demand | null {
    if (demand === null) return null;
    const others = [...(this.#taken.get(claimer) ?? [])].filter(([by]) => by !== lane);
    if (others.length === 0) return demand;
    let { slots } = demand;
    const rooms = new Map(demand.tasks);
    for (const [, taken] of others) {
      slots -= taken.slots;
      for (const [name, count] of taken.tasks) rooms.set(name, (rooms.get(name) ?? 0) - count);
    }
    const tasks = new Map([...rooms].filter(([, room]) => room > 0));
    return slots <= 0 || tasks.size === 0 ? null : { ...demand, slots, tasks };
  }
}

/** Claims for this demand what is ready; without `ask` only what the transaction itself has made ready. */
export async function claim(
  batch: Batch,
  claimer: Claimer,
  { demand, ask }: { demand: Demand; ask: boolean },
): Promise<Claiming & { readonly claimed: readonly SignatureRecord[] }> {
  const { offers } = claimer;
  if (offers === null) {
    const asked = ask && claimer.hungry;
    const { claimed, more } = await batch.claim(demand, asked);
    return { claimer, claimed, assignments: await assign(batch, claimed), more, asked, stale: [] };
  }
  const { claimed, stale, busy } = await claimOffered(batch, demand, offers.waiting(demand.slots));
  const assignments = await assign(batch, claimed);
  return { claimer, claimed, assignments, more: busy, asked: true, stale };
}
