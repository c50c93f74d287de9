import type { SignatureRecord } from "../../core/record.ts";
import { ALL_RESUME } from "../../core/recovery.ts";
import type { WorkerRow } from "../../ports/store.ts";
import { NO_FAULTS } from "./faults.ts";
import { Orders } from "./orders.ts";
import { type AnyPlanValue, PlanMaker } from "./plan-maker.ts";
import { Deadlock } from "./scheduler.ts";
import { heal, type Outcome, outcomeOf } from "./simulate.ts";
import { describeStuck } from "./stuck.ts";
import { World } from "./world.ts";

/**
 * Something in the store that no commit leaves there: what would have followed was lost, and no mark tells of it. It must be found
 * and go on like everything else.
 */
export interface Loss {
  readonly name: string;
  plan(make: PlanMaker): AnyPlanValue;
  /** Which signature is struck: the first that fits, once there is one. */
  fits(record: SignatureRecord): boolean;
  strike(record: SignatureRecord): Partial<SignatureRecord>;
}

/** A session that has said goodbye. */
const GONE: WorkerRow = {
  id: "w-gone",
  host: "h",
  pid: 1,
  tasks: [],
  concurrency: 1,
  autoResume: ALL_RESUME,
  startedAt: 1,
  leaseUntil: 1,
  endedAt: 1,
};

/**
 * From when on (ms) the world is struck: before the reconcilers have seen anything, or, under every second seed, when they have gone
 * through it all. How often it is looked at for something that fits, and until when users are there.
 */
const FROM_MS = [1_300, 100] as const;
const EVERY_MS = 20;
const UNTIL_MS = 3_000;

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** More chains than workers have places, so that some of their steps and callbacks are ready for a while. */
const crowd = (
  make: PlanMaker,
  callbacks: { onItemSuccess?: AnyPlanValue; onItemCleanup?: AnyPlanValue } = {},
): AnyPlanValue =>
  make.swarm(
    times(36, () => make.chain([make.task({ takes: 300 }), make.task({ takes: 20 })])),
    callbacks,
  );

/** Ready, and no worker has it yet. */
const offered = (record: SignatureRecord, role: SignatureRecord["role"]): boolean =>
  record.status === "READY" && record.epoch === 0 && record.role === role;

const forgotten = (): Partial<SignatureRecord> => ({ status: "PENDING", readyAt: null });

export const LOSSES: readonly Loss[] = [
  {
    name: "a task that runs under a session that has ended",
    plan: (make) => crowd(make),
    fits: (record) => offered(record, "step"),
    strike: ({ epoch, createdAt }) => ({
      status: "RUNNING",
      workerId: GONE.id,
      epoch: epoch + 1,
      attempt: 1,
      startedAt: createdAt,
    }),
  },
  {
    name: "a step that is held by what does not hold it",
    plan: (make) => crowd(make),
    fits: (record) => offered(record, "step"),
    strike: ({ rootId }) => ({ status: "PENDING", heldBy: rootId }),
  },
  {
    name: "a step that waits for no time",
    plan: (make) => crowd(make),
    fits: (record) => offered(record, "step"),
    strike: () => ({ status: "WAITING", dueAt: null }),
  },
  {
    name: "a step whose start was lost",
    plan: (make) => crowd(make),
    fits: (record) => offered(record, "step"),
    strike: forgotten,
  },
  {
    name: "a callback whose start was lost",
    plan: (make) => crowd(make, { onItemSuccess: make.task({ takes: 100 }) }),
    fits: (record) => offered(record, "itemSuccess"),
    strike: forgotten,
  },
  {
    name: "a cleanup whose turn was lost",
    plan: (make) => crowd(make, { onItemCleanup: make.task({ takes: 100 }) }),
    fits: (record) => offered(record, "itemCleanup"),
    strike: forgotten,
  },
  {
    name: "an item whose start was lost, but not its slot",
    plan: (make) =>
      make.swarm(
        times(4, () => make.task({ takes: 20 }, { delay: 500 })),
        { concurrency: 1 },
      ),
    fits: ({ role, status }) => role === "item" && status === "WAITING",
    strike: () => ({ ...forgotten(), dueAt: null }),
  },
];

/** Runs the workflow of a loss on two processes and strikes it once; everything must come to its end. */
export async function lose(loss: Loss, options: { seed?: number; trace?: boolean } = {}): Promise<Outcome> {
  const seed = options.seed ?? 1;
  const world = new World(seed, NO_FAULTS, { trace: options.trace === true });
  const orders = new Orders(world);
  const make = new PlanMaker((name, script) => world.register(name, script));
  const plan = loss.plan(make);
  const off = world.catchStrays();
  try {
    world.start({ concurrency: 3 });
    world.start({ concurrency: 3 });
    void world.later(10, "submit").then(() => orders.submit(world.up[0]!, plan, "the one"));
    void world.later(FROM_MS[seed % 2]!, "loss").then(() => strikeOnce(world, loss));
    await world.run(() => world.scheduler.now >= UNTIL_MS);
    if (world.violations.length === 0) await heal(world, orders);
  } catch (error) {
    if (error instanceof Deadlock) world.report("I1 liveness", `${error.message}\n${describeStuck(world)}`);
    else throw error;
  } finally {
    off();
  }
  return outcomeOf(seed, world);
}

async function strikeOnce(world: World, loss: Loss): Promise<void> {
  while (world.scheduler.now < UNTIL_MS) {
    const record = world.shadow.records.values().find((each) => loss.fits(each));
    if (record !== undefined && (await world.damage(record.id, loss, [GONE]))) return;
    await world.later(EVERY_MS, "loss");
  }
  world.report("simulator", `nothing ever fits "${loss.name}"`);
}
