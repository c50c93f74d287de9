import { type AnyPlan, chain, type Json, type MageFlow, type Run, swarm } from "mageflow";
import type { Line, Verb } from "./diary.ts";
import type { Tasks } from "./tasks.ts";

/** Asks for something on behalf of a story, and writes down that it does, and what it was told. */
export interface Teller {
  does<T>(verb: Verb, work: () => Promise<T>, heard?: (told: T) => Partial<Line>): Promise<T>;
}

type Story = (mage: MageFlow, tasks: Tasks, teller: Teller) => Promise<void>;

/** With the text of one, the log grows by some 850 kB; with all of them beyond the 8 MB at which it is copied into the database. */
const HEAVY = 850_000;
const HEAVIES = 11;

/** By name; told one after the other. Between `FIRST` and `SECOND` the store is closed and opened again. */
export const FIRST: Readonly<Record<string, Story>> = {
  chain: async (mage, { add, note }, teller) => {
    const plan = chain([add.onSuccess(note), add, add])
      .onSuccess(note)
      .onCleanup(note)
      .onCleanup(note);
    await ended(teller, await submitted(teller, () => mage.run(plan, { n: 0 })));
  },
  swarm: async (mage, { add, fails, note }, teller) => {
    const items: AnyPlan[] = [1, 2, 3, 4, 5, 6].map((n) => add.with({ n }));
    const callbacks = { onItemSuccess: note, onItemError: note, onItemCleanup: note };
    const plan = swarm([...items, fails], { concurrency: 3, ...callbacks });
    await ended(teller, await submitted(teller, () => mage.run(plan.onSuccess(note).onCleanup(note))));
  },
  failing: async (mage, { add, fails, note }, teller) => {
    const plan = chain([fails.onError(note), add] as AnyPlan[])
      .onError(note)
      .onCleanup(note);
    await ended(teller, await submitted(teller, () => mage.run(plan)));
  },
  created: async (mage, { add, note }, teller) => {
    const plan = chain([add.with({ n: 1 }), add]).onSuccess(note);
    const run = await teller.does("create", () => mage.create(plan), named);
    await teller.does("start", () => run.start());
    await ended(teller, run);
    await teller.does("rerun", () => run.rerun());
    await ended(teller, run);
  },
  steps: async (mage, { steps, note }, teller) => {
    await ended(teller, await submitted(teller, () => mage.run(steps.onSuccess(note))));
  },
  heavy: async (mage, { heavy }, teller) => {
    const text = "x".repeat(HEAVY);
    for (let n = 0; n < HEAVIES; n++) {
      const run = await submitted(teller, () => mage.run(heavy, { text }));
      await ended(teller, run);
    }
  },
};

export const SECOND: Readonly<Record<string, Story>> = {
  interrupted: async (mage, { add, lingers, note }, teller) => {
    const plan = chain([add.with({ n: 1 }), lingers, note] as AnyPlan[]).onCleanup(note);
    const run = await submitted(teller, () => mage.run(plan));
    await begun(run, "lingers");
    await teller.does("interrupt", () => run.interrupt());
    await teller.does("resume", () => run.resume());
    await ended(teller, run);
  },
  held: async (mage, { lingers, note }, teller) => {
    const run = await submitted(teller, () => mage.run(chain([note, note, lingers] as AnyPlan[])));
    await teller.does("suspend", () => run.suspend());
    await teller.does("resume", () => run.resume());
    await begun(run, "lingers");
    await teller.does("interrupt", () => run.interrupt());
  },
  cancelled: async (mage, { lingers, note }, teller) => {
    const items = swarm([lingers, lingers, lingers], { concurrency: 2 });
    const run = await submitted(teller, () => mage.run(items.onCleanup(note)));
    await begun(run, "lingers");
    const plan = await run.planCancel();
    await teller.does("cancel", () => plan.confirm({ reason: "as it is meant to" }));
  },
  deleted: async (mage, { add, note }, teller) => {
    const run = await submitted(teller, () => mage.run(add.onSuccess(note), { n: 1 }));
    await ended(teller, run);
    await teller.does("delete", () => run.delete({ after: "30d" }));
    await teller.does("restore", () => run.restore());
    await teller.does("purge", () => run.purgeNow({ stub: true }));
  },
  marked: async (mage, { add }, teller) => {
    const run = await submitted(teller, () => mage.run(add, { n: 1 }));
    await ended(teller, run);
    await teller.does("delete", () => run.delete({ after: "30d" }));
  },
  growing: async (mage, { add, note }, teller) => {
    const plan = swarm([] as AnyPlan[], { name: "growing", open: true, onItemSuccess: note });
    const run = await submitted(teller, () => mage.run(plan));
    for (let n = 0; n < 3; n++) {
      const added = (item: Run): Partial<Line> => ({ child: item.id });
      await teller.does("add", () => run.addTaskAndRun(add.with({ n })), added);
    }
    await teller.does("close", () => run.close());
    await ended(teller, run);
  },
  "chain again": (mage, tasks, teller) => FIRST["chain"]!(mage, tasks, teller),
};

const named = ({ id }: Run): Partial<Line> => ({ id });

function submitted(teller: Teller, submit: () => Promise<Run>): Promise<Run> {
  return teller.does("submit", submit, named);
}

async function ended(teller: Teller, run: Run): Promise<void> {
  const end = async (): Promise<Json> => {
    await run.settled();
    return outcomeOf(run);
  };
  await teller.does("end", end, (outcome) => ({ outcome }));
}

/** All that is stored of how a workflow has ended. @throws WaitTimeoutError (`WAIT_TIMEOUT`) when it has not settled. */
export async function outcomeOf(run: Run): Promise<Json> {
  const { status, result, error } = await run.settled({ timeout: "2s" });
  const [{ execution, finishedAt, generation }, counts, callbacks] = await Promise.all([
    run.view(),
    run.counts(),
    run.callbacks(),
  ]);
  const followed = callbacks.items.map(({ id, execution: state, finishedAt: at }) => ({ id, state, at }));
  const told = { status, result, error, execution, finishedAt, generation, counts, followed };
  return JSON.parse(JSON.stringify(told)) as Json;
}

/** Resolves when a task of this name runs in it. */
async function begun(run: Run, name: string): Promise<void> {
  for await (const { type, id } of run.events({ since: 0 })) {
    if (type !== "started") continue;
    const { items } = await run.children();
    if (items.some((view) => view.id === id && view.name === name)) return;
  }
}
