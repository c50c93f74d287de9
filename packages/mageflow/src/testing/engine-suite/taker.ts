import type { Answer, Carrier, Consumption, Delivery } from "../../ports/engine.ts";

/** Longer than any case. */
const LEASE_MS = 60_000;

interface TakerOptions {
  readonly tasks: Readonly<Record<string, number>>;
  readonly concurrency?: number;
  /** What it answers at once; without it the case answers. */
  readonly answers?: Answer;
}

/** Takes deliveries for a case, and keeps what it was brought. */
export class Taker {
  /** In the order in which they came, as `id` with its epoch when that is not 0. */
  readonly taken: Delivery[] = [];
  /** When each came. */
  readonly at: number[] = [];
  /** Most that were not answered at once: in all, and of each task. */
  most = 0;
  readonly mostOf: Map<string, number> = new Map();
  readonly consumption: Consumption;
  readonly #answers: Answer | undefined;
  readonly #held: { delivery: Delivery; answer: (answer: Answer) => void }[] = [];
  #waiting: { count: number; resolve: () => void }[] = [];

  constructor(carrier: Carrier, { tasks, concurrency = 1_000, answers }: TakerOptions) {
    this.#answers = answers;
    const deliver = (delivery: Delivery): Promise<Answer> => this.#deliver(delivery);
    const brought = new Map(Object.entries(tasks));
    this.consumption = carrier.consume({ concurrency, tasks: brought, lease: LEASE_MS, deliver });
  }

  get ids(): string[] {
    return this.taken.map(({ id }) => id);
  }

  get held(): number {
    return this.#held.length;
  }

  /** Resolves when so many have come in all. */
  until(count: number): Promise<void> {
    if (this.taken.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  /** Answers the one that came first of those that wait for it. */
  answer(answer: Answer = "ended"): void {
    this.#held.shift()!.answer(answer);
  }

  answerAll(answer: Answer = "ended"): void {
    while (this.#held.length > 0) this.answer(answer);
  }

  #deliver(delivery: Delivery): Promise<Answer> {
    this.taken.push(delivery);
    this.at.push(performance.now());
    const answered =
      this.#answers === undefined
        ? new Promise<Answer>((answer) => this.#held.push({ delivery, answer }))
        : Promise.resolve(this.#answers);
    this.most = Math.max(this.most, this.#held.length);
    const ofTask = this.#held.filter((held) => held.delivery.name === delivery.name).length;
    this.mostOf.set(delivery.name, Math.max(this.mostOf.get(delivery.name) ?? 0, ofTask));
    const met = this.#waiting.filter(({ count }) => count <= this.taken.length);
    this.#waiting = this.#waiting.filter(({ count }) => count > this.taken.length);
    for (const { resolve } of met) resolve();
    return answered;
  }
}

/** A delivery of the task `a`, unless it says otherwise. */
export function delivery(id: string, how: Partial<Delivery> = {}): Delivery {
  return { id, generation: 1, epoch: 0, name: "a", priority: 0, delay: 0, ...how };
}

export function deliveries(count: number, how: Partial<Delivery> = {}): Delivery[] {
  return Array.from({ length: count }, (_, i) => delivery(`${how.name ?? "a"}.${i}`, how));
}
