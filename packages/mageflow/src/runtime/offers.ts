import type { Answer, Delivery } from "../ports/engine.ts";

/** Deliveries that an engine has brought to a worker, until the worker is done with them. */
export class Offers {
  /** By task: what has not been claimed yet. */
  readonly #waiting = new Map<string, Offer>();
  /** What has been claimed, until its attempt has ended. */
  readonly #taken = new Map<string, Offer>();
  #closed = false;

  /** Takes a delivery in. Of two of one task the earlier one is stale. */
  add(delivery: Delivery): Promise<Answer> {
    if (this.#closed) return Promise.resolve("returned");
    const other = this.#waiting.get(delivery.id);
    if (other !== undefined) {
      if (!isLater(delivery, other.delivery)) return Promise.resolve("stale");
      other.answer("stale");
    }
    return new Promise((answer) => this.#waiting.set(delivery.id, { delivery, answer }));
  }

  /** How many wait to be claimed. */
  get size(): number {
    return this.#waiting.size;
  }

  /** What waits to be claimed, as it is now, the first `limit` of it. */
  waiting(limit: number): Delivery[] {
    const some: Delivery[] = [];
    for (const { delivery } of this.#waiting.values()) {
      if (some.length === limit) break;
      some.push(delivery);
    }
    return some;
  }

  /** The store has found these to be no longer as they were published. */
  stale(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      const offer = this.#waiting.get(delivery.id);
      if (offer?.delivery !== delivery) continue;
      this.#waiting.delete(delivery.id);
      offer.answer("stale");
    }
  }

  /** This one cannot be read, whatever was published. Whether it was waiting. */
  drop(id: string): boolean {
    const offer = this.#waiting.get(id);
    if (offer === undefined) return false;
    this.stale([offer.delivery]);
    return true;
  }

  /** This task has been claimed, perhaps without a delivery. Gives what is to be called when its attempt has ended. */
  take(id: string): () => void {
    const offer = this.#waiting.get(id);
    if (offer === undefined) return nobody;
    this.#waiting.delete(id);
    this.#taken.set(id, offer);
    return () => {
      if (this.#taken.get(id) === offer) this.#taken.delete(id);
      offer.answer("ended");
    };
  }

  /** Takes no more, and gives back what has not been claimed. */
  close(): void {
    this.#closed = true;
    for (const offer of this.#waiting.values()) offer.answer("returned");
    this.#waiting.clear();
  }

  /** What has been claimed belongs to others now, whatever its code still does. */
  letGo(): void {
    for (const offer of this.#taken.values()) offer.answer("ended");
    this.#taken.clear();
  }
}

/** Whom a task that was not brought is answered to. */
function nobody(): void {}

interface Offer {
  readonly delivery: Delivery;
  answer(answer: Answer): void;
}

function isLater(a: Delivery, b: Delivery): boolean {
  return a.generation > b.generation || (a.generation === b.generation && a.epoch > b.epoch);
}
