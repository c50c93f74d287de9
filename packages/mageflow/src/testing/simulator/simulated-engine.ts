import type { Answer, Carrier, Consumer, Delivery, Engine } from "../../ports/engine.ts";
import { NO_FAULTS } from "./faults.ts";
import type { Process } from "./process.ts";
import { random, type Random } from "./random.ts";
import type { World } from "./world.ts";

/** What goes wrong with deliveries under one seed, by probability. */
interface EngineMix {
  readonly lost: number;
  readonly twice: number;
  readonly late: number;
  /** What is revoked is brought all the same. */
  readonly unrevoked: number;
  /** What a dead process had been given is not brought to another. */
  readonly buried: number;
  /** A call fails: what it was about may be known or not. */
  readonly fails: number;
  /** All that it holds is gone, each time that something is published. */
  readonly flushed: number;
  /** It cannot be reached for some seconds from then on. */
  readonly down: number;
}

interface Held {
  readonly delivery: Delivery;
  readonly due: number;
}

interface Station {
  readonly process: Process;
  readonly consumer: Consumer;
  readonly tasks: ReadonlyMap<string, number>;
  open: boolean;
  held: number;
  readonly ofTask: Map<string, number>;
}

/** A dead process's deliveries are brought to others after this time (ms). */
const STALL_MS = 30_000;

/**
 * The engine of a simulated world: it loses, repeats, delays and reorders deliveries, forgets all it has and goes away, as the seed says. A
 * third of the seeds have none, and workers take their tasks from the store.
 */
export class SimulatedPlace {
  readonly #world: World;
  readonly #draw: Random;
  readonly #mix: EngineMix | null;
  readonly #stations: Station[] = [];
  #waiting = new Map<string, Held>();
  #active = new Set<string>();
  #downUntil = 0;
  healthy: boolean;

  constructor(world: World, seed: number) {
    this.#world = world;
    this.healthy = world.mix === NO_FAULTS;
    this.#draw = random(seed, "engine");
    this.#mix = this.#draw.chance(0.66) ? engineMix(this.#draw) : null;
  }

  engineOf(process: Process): Engine {
    return {
      name: "simulated",
      capabilities: {
        source: this.#mix === null ? "store" : "deliveries",
        priorities: "none",
        globalLimits: false,
        pauses: false,
        delays: true,
        revokes: true,
        redelivers: false,
        keeps: false,
        server: null,
      },
      carrier: this.#mix === null ? null : this.#carrier(process, this.#mix),
    };
  }

  #carrier(process: Process, mix: EngineMix): Carrier {
    const strikes = (kind: keyof EngineMix): boolean => !this.healthy && this.#draw.chance(mix[kind]);
    const isReachable = (): boolean => this.healthy || this.#world.scheduler.now >= this.#downUntil;
    const begin = async (what: string): Promise<void> => {
      this.#world.boundary(process, what);
      await this.#world.scheduler.wait(process, what);
      if (strikes("down")) this.#downUntil = this.#world.scheduler.now + this.#draw.whole(100, 20_000);
      if (!isReachable()) throw new Error("the simulated engine is away");
    };
    return {
      get reachable() {
        return isReachable();
      },
      fault: null,
      publish: async (deliveries) => {
        await begin("publish");
        for (const delivery of deliveries) {
          if (!strikes("lost")) this.#add(delivery, strikes("late") ? this.#draw.whole(1, 20_000) : 0);
          if (strikes("twice")) void this.#later(delivery);
        }
        if (strikes("flushed")) this.#waiting.clear();
        this.#bring();
        if (strikes("fails")) throw new Error("the simulated engine failed");
      },
      revoke: async (deliveries) => {
        await begin("revoke");
        for (const delivery of deliveries) if (!strikes("unrevoked")) this.#waiting.delete(keyOf(delivery));
      },
      consume: (consumer) => {
        const tasks = new Map(consumer.tasks);
        const station = { process, consumer, tasks, open: true, held: 0, ofTask: new Map() };
        this.#stations.push(station);
        void this.#world.scheduler.wait(process, "consume").then(() => this.#bring());
        return {
          add: (more) => {
            for (const [task, most] of more) tasks.set(task, most);
            this.#bring();
          },
          stop: async () => {
            station.open = false;
            while (station.held > 0) await this.#world.later(10, "consumption stops");
          },
        };
      },
      close: async () => {},
    };
  }

  async #later(delivery: Delivery): Promise<void> {
    await this.#world.later(this.#draw.whole(1, 60_000), "delivery again");
    this.#add(delivery, 0);
    this.#bring();
  }

  #add(delivery: Delivery, late: number): void {
    const key = keyOf(delivery);
    if (this.#waiting.has(key) || this.#active.has(key)) return;
    const due = this.#world.scheduler.now + delivery.delay + late;
    this.#waiting.set(key, { delivery, due });
    if (due > this.#world.scheduler.now)
      void this.#world.later(due - this.#world.scheduler.now, "delivery is due").then(() => this.#bring());
  }

  /** Brings what there is to those who have room for it, in any order. */
  #bring(): void {
    const { now } = this.#world.scheduler;
    for (const [key, { delivery, due }] of this.#waiting) {
      if (due > now) continue;
      const takers = this.#stations.filter((station) => hasRoom(station, delivery.name));
      if (takers.length === 0) continue;
      this.#waiting.delete(key);
      this.#active.add(key);
      void this.#give(takers.length === 1 ? takers[0]! : this.#draw.pick(takers), delivery);
    }
  }

  async #give(station: Station, delivery: Delivery): Promise<void> {
    const { process, consumer, ofTask } = station;
    station.held++;
    ofTask.set(delivery.name, (ofTask.get(delivery.name) ?? 0) + 1);
    const isLate = !this.healthy && this.#draw.chance(this.#mix!.late);
    const due = this.#world.scheduler.now + (isLate ? this.#draw.whole(1, 3_000) : 0);
    let answered = false;
    void this.#bury(process, delivery, () => answered);
    await this.#world.scheduler.wait(process, "delivery", { due });
    const answer: Answer = await consumer.deliver(delivery);
    answered = true;
    station.held--;
    ofTask.set(delivery.name, ofTask.get(delivery.name)! - 1);
    this.#active.delete(keyOf(delivery));
    if (answer === "returned") this.#add(delivery, 1);
    this.#bring();
  }

  /** What a process had when it died is brought to another some time later, or never. */
  async #bury(process: Process, delivery: Delivery, isAnswered: () => boolean): Promise<void> {
    while (!isAnswered() && !process.dead) await this.#world.later(STALL_MS, "stalled check");
    if (isAnswered()) return;
    this.#active.delete(keyOf(delivery));
    if (!this.healthy && this.#draw.chance(this.#mix!.buried)) return;
    this.#add(delivery, 0);
    this.#bring();
  }
}

function hasRoom({ process, consumer, tasks, open, held, ofTask }: Station, task: string): boolean {
  if (!open || process.dead || process.frozen || held >= consumer.concurrency) return false;
  return (ofTask.get(task) ?? 0) < (tasks.get(task) ?? 0);
}

function keyOf({ id, generation, epoch }: Delivery): string {
  return `${id} ${generation} ${epoch}`;
}

function engineMix(draw: Random): EngineMix {
  const some = (most: number): number => (draw.chance(0.4) ? draw.next() * most : 0);
  return {
    lost: draw.chance(0.1) ? 1 : some(0.6),
    twice: some(0.4),
    late: some(0.5),
    unrevoked: some(1),
    buried: some(1),
    fails: some(0.3),
    flushed: some(0.2),
    down: some(0.1),
  };
}
