import { FlowProducer, Worker } from "bullmq";
import { Redis } from "ioredis";
import { swarm } from "mageflow";
import { type BenchOptions, rounded, seconds, WINDOW, withWorker, WORKER } from "./cases.ts";
import { benchEngine, REDIS } from "./redis-place.ts";

/** One contender's time for the same fan-out and fan-in. */
interface Peer {
  readonly peer: string;
  readonly tasksPerSecond: number;
  readonly submitPerSecond: number;
  readonly seconds: number;
}

/**
 * The same work for each, one after the other in one run: a parent with so many children, all no-ops with a number as input, submitted, run by
 * one worker of the same concurrency in this process, until what follows the last of them has run.
 */
export async function comparePeers(store: () => string, tasks: number): Promise<Peer[]> {
  await using place = benchEngine();
  return [
    await mageflow("mageflow, embedded", { store: store() }, tasks),
    await mageflow("mageflow, bullmq", { store: store(), engine: place.engine }, tasks),
    await bullmqFlow(`${place.prefix}-flow`, tasks),
  ];
}

function mageflow(peer: string, on: BenchOptions["on"], tasks: number): Promise<Peer> {
  return withWorker(on, async ({ mage, noop, last, lastRan }) => {
    const items = function* (): Generator<typeof noop> {
      for (let i = 0; i < tasks; i++) yield noop.with({ i });
    };
    let submitted = 0;
    const total = await seconds(async () => {
      submitted = await seconds(() => mage.run(swarm(items, { concurrency: WINDOW }).onSuccess(last)));
      await lastRan;
    });
    return figures(peer, tasks, submitted, total);
  });
}

/** BullMQ's own flow: it has no windows and no store but Redis, and keeps what has ended until the parent is done. */
async function bullmqFlow(prefix: string, tasks: number): Promise<Peer> {
  const connection = new Redis(REDIS, { maxRetriesPerRequest: null });
  const producer = new FlowProducer({ connection, prefix });
  const done = Promise.withResolvers<void>();
  const noops = new Worker("noop", async () => null, { connection, prefix, concurrency: WORKER });
  const parents = new Worker("last", async () => done.resolve(), { connection, prefix });
  await Promise.all([noops.waitUntilReady(), parents.waitUntilReady(), producer.waitUntilReady()]);
  const flow = (count: number) => ({
    name: "last",
    queueName: "last",
    children: Array.from({ length: count }, (_, i) => ({
      name: "noop",
      queueName: "noop",
      data: { i },
      opts: { removeOnComplete: true },
    })),
  });
  let submitted = 0;
  const total = await seconds(async () => {
    submitted = await seconds(() => producer.add(flow(tasks)));
    await done.promise;
  });
  await Promise.all([noops.close(), parents.close(), producer.close()]);
  connection.disconnect();
  return figures("bullmq flows", tasks, submitted, total);
}

function figures(peer: string, tasks: number, submitted: number, total: number): Peer {
  return {
    peer,
    tasksPerSecond: Math.round(tasks / total),
    submitPerSecond: Math.round(tasks / submitted),
    seconds: rounded(total),
  };
}
