import { once } from "node:events";
import { expect, test } from "vitest";
import {
  sampleChild,
  sampleReady,
  sampleSwarm,
  sampleTask,
} from "../../src/testing/store-suite/sample-record.ts";
import { sampleWorker } from "../../src/testing/store-suite/sample-worker.ts";
import type { OpenStore } from "./open-store.ts";
import { spawnScript, type StorePlace } from "./store-script.ts";

interface SideBySide extends StorePlace {
  /** Opens a store at a URL. */
  readonly opened: (url: string) => Promise<OpenStore>;
  /** Waits until a transaction at the place waits for a lock. */
  readonly blocked: () => Promise<void>;
}

/** What transactions of several processes on one server are to each other. */
export function sideBySideCases({ index, url, opened, blocked }: SideBySide): void {
  test("one of two transactions that wait for each other is refused, and may try again", async () => {
    await using store = await opened(url);
    const ids = ["dead", "lock"];
    await store.transact((tx) => tx.write({ insert: ids.map((id) => sampleTask(id)) }));
    const both = meeting(2);
    const cross = async ([first, second]: readonly string[]): Promise<string> =>
      store.transact(async (tx) => {
        await tx.lock([first!], { wait: true });
        await both();
        await tx.lock([second!], { wait: true });
        return "done";
      });
    const ends = await Promise.allSettled([cross(ids), cross(ids.toReversed())]);
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const refused = ends.find(({ status }) => status === "rejected");
    expect(refused).toMatchObject({ reason: { code: "STORE_BUSY" } });
  });

  test("who gives a container an order waits for who is starting something in it, and sees it", async () => {
    await using one = await opened(url);
    await using other = await opened(url);
    const swarm = sampleSwarm("gated");
    const item = sampleChild(swarm, 0, { status: "READY", readyAt: 1, name: "gated" });
    await one.transact((tx) => tx.write({ insert: [swarm, item] }));
    const claimed = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const claim = one.transact(async (tx) => {
      const [task] = await tx.ready({ workerId: "w", slots: 1, tasks: new Map([["gated", 1]]) });
      expect(await tx.read(["gated"])).toEqual([swarm]);
      claimed.resolve();
      await go.promise;
      await tx.write({ update: [{ ...task!, status: "RUNNING", workerId: "w", attempt: 1 }] });
    });
    await claimed.promise;
    const order = other.transact(async (tx) => {
      await tx.lock(["gated"], { wait: true });
      return tx.window({ id: "gated", what: "interrupt", limit: 9 });
    });
    await blocked();
    go.resolve();
    await claim;
    expect((await order).map(({ id }) => id)).toEqual([item.id]);
  });

  test("who goes on below a container waits for an order that is being given, and sees it", async () => {
    await using one = await opened(url);
    await using other = await opened(url);
    const swarm = sampleSwarm("ordered");
    const item = sampleReady("ordered.0", { rootId: "ordered", parentId: "ordered", role: "item" });
    await one.transact((tx) => tx.write({ insert: [swarm, item] }));
    const locked = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const order = one.transact(async (tx) => {
      await tx.lock(["ordered"], { wait: true });
      locked.resolve();
      await go.promise;
      await tx.write({ update: [{ ...swarm, status: "SUSPENDED" }] });
    });
    await locked.promise;
    const finish = other.transact(async (tx) => {
      await tx.lock([item.id], { wait: true });
      return tx.read(["ordered"]);
    });
    await blocked();
    go.resolve();
    await order;
    expect((await finish)[0]?.status).toBe("SUSPENDED");
  });

  test("nobody declares a session dead that a transaction counts on", async () => {
    await using one = await opened(url);
    await using other = await opened(url);
    const worker = sampleWorker("counted on", { leaseUntil: 1 });
    await one.transact((tx) => tx.write({ workers: [worker] }));
    await one.transact(async (tx) => {
      expect(await tx.alive(worker.id)).toBe(true);
      const lapsed = await other.transact((beside) => beside.lapsed(100));
      expect(lapsed.map(({ id }) => id)).not.toContain(worker.id);
      expect(await other.heartbeat(worker.id, 60_000)).toBe(true);
    });
  });

  test("a process that stands still in the middle of a transaction lets go of what it has locked", async () => {
    await using store = await opened(url);
    await store.transact((tx) => tx.write({ insert: [sampleTask("frozen")] }));
    using frozen = spawnScript(
      `await store.open();
         await store.transact(async (tx) => {
           await tx.lock(["frozen"], { wait: true });
           await tx.write({ specs: [{ rootId: "frozen", id: "0", body: "{}" }] });
           console.log("locked");
           await new Promise((resolve) => setTimeout(resolve, 1_000_000));
         });`,
      { index, url },
    );
    await once(frozen.stdout, "data");
    frozen.kill("SIGSTOP");
    const { busy } = await store.transact((tx) => tx.lock(["frozen"], { wait: false }));
    expect(busy).toEqual(["frozen"]);
    const { records } = await store.transact((tx) => tx.lock(["frozen"], { wait: true }));
    expect(records).toHaveLength(1);
    expect(await store.specs([{ rootId: "frozen", id: "0" }])).toEqual([]);
  });

  test("a heartbeat waits for no transaction", async () => {
    await using store = await opened(url);
    await store.transact((tx) => tx.write({ workers: [sampleWorker("beating")] }));
    const all = meeting(5);
    const busy = Array.from({ length: 4 }, () =>
      store.transact(async (tx) => {
        await tx.alive("beating");
        await all();
      }),
    );
    expect(await store.heartbeat("beating", 60_000)).toBe(true);
    await Promise.all([...busy, all()]);
  });
}

/** Resolves for all when so many have come. */
function meeting(count: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let come = 0;
  return () => {
    if (++come === count) resolve();
    return promise;
  };
}
