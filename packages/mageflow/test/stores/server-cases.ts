import { expect, test } from "vitest";
import { cutLine } from "../../../../scripts/servers/cut-line.ts";
import { sampleTask } from "../../src/testing/store-suite/sample-record.ts";
import type { OpenStore } from "./open-store.ts";

/** What holds for every store on a server; `opened` opens one at a URL. */
export function serverCases(url: string, opened: (url: string) => Promise<OpenStore>): void {
  test("a store that is opened while it closes is open when it has closed, and tells of commits", async () => {
    await using other = await opened(url);
    await using store = await opened(url);
    const go = Promise.withResolvers<void>();
    const slow = store.transact(() => go.promise);
    const closing = store.close();
    const opening = store.open();
    go.resolve();
    await Promise.all([slow, closing, opening]);
    let isTold = false;
    store.watch(() => (isTold = true));
    let n = 0;
    const commit = async (): Promise<boolean> => {
      await other.transact((tx) => tx.write({ insert: [sampleTask(`opened again ${n++}`)] }));
      return isTold;
    };
    await expect.poll(commit).toBe(true);
    expect(await store.get(["opened again 0"])).toHaveLength(1);
  });

  test("a commit is told of whose connection only the server still believes in", async () => {
    await using line = await cutLine(url);
    await using store = await opened(line.url);
    await using witness = await opened(url);
    const commit = store.transact(async (tx) => {
      await tx.write({ insert: [sampleTask("half-open")], stamp: { by: "half-open", n: 2 } });
      await tx.read(["half-open"]);
      line.mute("server");
    });
    const refused = commit.catch((error: unknown) => error);
    await expect.poll(() => witness.get(["half-open"])).toHaveLength(1);
    for (const call of line.calls) call.forsake();
    line.unmute();
    expect(await refused).toMatchObject({ name: "OutcomeUnknown" });
    await expect.poll(() => store.stamped("half-open").catch((error: unknown) => error)).toBe(2);
  });

  test("closing does not wait for a server that is silent", async () => {
    await using line = await cutLine(url);
    const store = await opened(line.url);
    store.watch(() => {});
    line.mute("server");
    // It looks again and again whether there is anything new.
    await expect.poll(() => line.lost).toBeGreaterThan(0);
    await store.close();
  });

  test("of a transaction that throws nothing is kept, also when what it has sent is refused meanwhile", async () => {
    await using one = await opened(url);
    await using two = await opened(url);
    await one.transact((tx) => tx.write({ insert: [sampleTask("dead a"), sampleTask("dead b")] }));
    const specs = Array.from({ length: 300 }, (_, n) => ({
      rootId: "dead heavy",
      id: String(n),
      body: "{}",
    }));
    const ready = Promise.withResolvers<void>();
    const sent = Promise.withResolvers<void>();
    const heavy = two.transact(async (tx) => {
      await tx.write({ insert: [sampleTask("dead c")], specs });
      await tx.read(["dead c"]);
      ready.resolve();
      await sent.promise;
      await tx.lock(["dead a"], { wait: true });
    });
    // Which of the two it refuses, and when, is up to the server.
    const heavyEnds = Promise.allSettled([heavy]);
    const light = one.transact(async (tx) => {
      await tx.lock(["dead a"], { wait: true });
      await ready.promise;
      const ghost = { rootId: "dead ghost", id: "0", body: "{}" };
      await tx.write({ insert: [sampleTask("dead c")], specs: [ghost] });
      tx.read(["nothing"]).catch(() => {});
      await new Promise((resolve) => void setImmediate(resolve));
      sent.resolve();
      throw new Error("no more of this");
    });
    await expect(light).rejects.toThrow("no more of this");
    await heavyEnds;
    expect(await one.specs([{ rootId: "dead ghost", id: "0" }])).toEqual([]);
  });
}
