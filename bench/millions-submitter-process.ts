import { MageFlow, type Run, swarm } from "mageflow";
import { runErrands } from "./errand.ts";

/** The process that submits, steers and waits in {@link ./millions.ts}. */
const [store, cache] = process.argv.slice(2) as [string, string];
await using mage = new MageFlow({ store, cache });
const noop = mage.task("noop", () => null);
const last = mage.task("last", () => null);
// Opens the store: what it loads for that is not measured.
await mage.list({ limit: 1 });
const swarms = new Map<string, Run>();
const of = ({ id }: { id: string }): Run => swarms.get(id)!;

await runErrands({
  create: async ({ tasks }: { tasks: number }) => {
    const items = function* (): Generator<typeof noop> {
      for (let i = 0; i < tasks; i++) yield noop.with({ i });
    };
    const run = await mage.create(swarm(items, { concurrency: 1_000 }).onSuccess(last));
    swarms.set(run.id, run);
    return run.id;
  },
  start: (one: { id: string }) => of(one).start(),
  suspend: (one: { id: string }) => of(one).suspend(),
  resume: (one: { id: string }) => of(one).resume(),
  settled: (one: { id: string }) => of(one).settled(),
  list: async (one: { id: string }) => {
    let [cursor, count]: [string | null, number] = [null, 0];
    do {
      const page = await of(one).children({ limit: 500, ...(cursor === null ? {} : { cursor }) });
      count += page.items.length;
      cursor = page.next;
    } while (cursor !== null);
    return count;
  },
});
