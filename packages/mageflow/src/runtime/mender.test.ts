import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AnyPlan } from "../core/flow.ts";
import { chain, swarm } from "../core/plans.ts";
import type { Family, SignatureRecord } from "../core/record.ts";
import { systemClock } from "../engines/embedded/system-clock.ts";
import { MageFlow } from "../mageflow.ts";
import type { Store } from "../ports/store.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";
import { sqliteStore } from "../stores/sqlite/index.ts";
import { ALL_RESUME } from "../core/recovery.ts";
import { autoResume } from "./auto-resume.ts";
import { Committer } from "./committer.ts";
import { Reconciler } from "./reconciler.ts";
import { SpecCache } from "./spec-cache.ts";
import { verifyStore } from "./verify.ts";

const STORES: Readonly<Record<string, () => Store>> = {
  memory: () => memoryStore(),
  sqlite: () => sqliteStore(":memory:"),
};

const taskOf = (mage: MageFlow) => mage.task("t", () => 1);
type Task = ReturnType<typeof taskOf>;
type Change = (record: SignatureRecord) => Partial<SignatureRecord>;

const untold: Change = () => ({ status: "PENDING", readyAt: null });
const counts =
  (family: Partial<Family>): Change =>
  (record) => ({ family: { ...record.family!, ...family } });
const running = { status: "RUNNING", epoch: 1, attempt: 1, startedAt: 1 } as const;

/** What is broken in a workflow that has just been submitted, by the rest of the id below the root. */
const GAPS: readonly {
  readonly what: string;
  readonly plan: (task: Task) => AnyPlan;
  readonly damage: Readonly<Record<string, Change>>;
}[] = [
  {
    what: "a task under a session that is not known",
    plan: (task) => task,
    damage: { "": () => ({ ...running, workerId: "w-gone" }) },
  },
  {
    what: "a task under a session that has ended",
    plan: (task) => task,
    damage: { "": () => ({ ...running, workerId: "w-ended" }) },
  },
  { what: "a task under no session", plan: (task) => task, damage: { "": () => running } },
  {
    what: "a chain whose current step was not started",
    plan: (task) => chain([task, task]),
    damage: { ".0": untold },
  },
  {
    what: "a swarm with no sweep and nothing active",
    plan: (task) => swarm([task, task]),
    damage: { ".0": untold, ".1": untold, "": counts({ active: 0 }) },
  },
  {
    what: "a swarm whose slots nobody has",
    plan: (task) => swarm([task, task]),
    damage: { ".0": untold, ".1": untold },
  },
  {
    what: "a swarm that has forgotten what ended in it",
    plan: (task) => swarm([chain([task]), chain([task])]),
    damage: {
      ".0": (record) => ({ ...untold(record), startedAt: null }),
      ".1": (record) => ({ ...untold(record), startedAt: null }),
      ".0.0": untold,
      ".1.0": untold,
      "": counts({ active: 7 }),
    },
  },
  {
    what: "a step held by one that is not suspended",
    plan: (task) => chain([task]),
    damage: { ".0": ({ rootId }) => ({ status: "PENDING", heldBy: rootId }) },
  },
  {
    what: "a task that waits for no time",
    plan: (task) => task,
    damage: { "": () => ({ status: "WAITING", dueAt: null }) },
  },
  {
    what: "a task that was told to start and did not",
    plan: (task) => task,
    damage: { "": () => ({ status: "PENDING" }) },
  },
];

describe.each(Object.keys(STORES))("what lost its reason to wait (%s)", (name) => {
  let store: Store;
  let warned: string[];

  beforeEach(() => {
    store = STORES[name]!();
    warned = [];
    vi.spyOn(process, "emitWarning").mockImplementation((warning) => void warned.push(String(warning)));
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await store.close();
  });

  /** Stores and starts a plan, and leaves the store to nobody. */
  async function left(plan: (task: Task) => AnyPlan): Promise<string> {
    const mage = new MageFlow({ store });
    const { id } = await mage.run(plan(taskOf(mage)));
    await mage.close();
    await store.open();
    return id;
  }

  async function damage(rootId: string, changes: Readonly<Record<string, Change>>): Promise<void> {
    await store.transact(async (tx) => {
      const ids = Object.keys(changes).map((rest) => rootId + rest);
      const { records } = await tx.lock(ids.sort(), { wait: true });
      const update = records.map((record) => ({
        ...record,
        ...changes[record.id.slice(rootId.length)]!(record),
      }));
      const ended = {
        host: "h",
        pid: 1,
        tasks: [],
        concurrency: 1,
        autoResume: ALL_RESUME,
        startedAt: 1,
        leaseUntil: 2,
        endedAt: 3,
      };
      await tx.write({ update, workers: [{ id: "w-ended", ...ended }] });
    });
  }

  function reconciler(): Reconciler {
    const committer = new Committer(store, systemClock, new SpecCache(), "s-test");
    return new Reconciler(
      {
        store,
        clock: systemClock,
        committer,
        session: "s-test",
        handlers: new Map(),
        autoResume: autoResume(),
        newId: () => "r",
      },
      null,
    );
  }

  async function breaches(): Promise<string[]> {
    const found: string[] = [];
    for await (const { message } of verifyStore(store, systemClock)) found.push(message);
    return found;
  }

  test.each(GAPS)("$what is mended within two rounds", async ({ plan, damage: changes }) => {
    const id = await left(plan);
    await damage(id, changes);
    expect(await breaches()).not.toEqual([]);
    const mending = reconciler();
    await mending.tick();
    await mending.tick();
    expect(await breaches()).toEqual([]);
    expect(mending.mended).toBeGreaterThan(0);
    expect(warned.join()).toContain("would have waited for ever");
    const mage = new MageFlow({ store });
    taskOf(mage);
    await using _worker = await mage.worker();
    await (await mage.get(id)).result({ timeout: "4s" });
    await mage.close();
  });

  test("what has its reasons is neither written nor locked", async () => {
    await left((task) =>
      chain([
        swarm([task, chain([task, task.onCleanup(task)]), task], { concurrency: 2 }).onSuccess(task),
        task,
      ]),
    );
    await left((task) => swarm([task], { open: true }));
    let rung = 0;
    const leave = store.watch(() => rung++);
    const transact = vi.spyOn(store, "transact");
    const mending = reconciler();
    await mending.tick();
    const idle = transact.mock.calls.length;
    await mending.tick();
    expect([idle, transact.mock.calls.length]).toEqual([1, 2]);
    expect([rung, mending.mended, warned]).toEqual([0, 0, []]);
    leave();
  });
});
