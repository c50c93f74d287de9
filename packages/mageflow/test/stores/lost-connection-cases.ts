import { expect, test } from "vitest";
import { cutLine } from "../../../../scripts/servers/cut-line.ts";
import type { Store } from "../../src/ports/store.ts";
import { sampleTask } from "../../src/testing/store-suite/sample-record.ts";
import type { OpenStore } from "./open-store.ts";

/** What a lost connection to any server leaves; `opened` opens a store at a URL. */
export function lostConnectionCases(url: string, opened: (url: string) => Promise<OpenStore>): void {
  test("in the middle of a transaction has left nothing, and the next one works", async () => {
    await using line = await cutLine(url);
    await using store = await opened(line.url);
    const lost = store.transact(async (tx) => {
      await tx.write({ insert: [sampleTask("lost")] });
      line.cut();
      await tx.read(["lost"]);
    });
    await expect(lost).rejects.toMatchObject({ code: "STORE_BUSY" });
    await store.transact((tx) => tx.write({ insert: [sampleTask("after")] }));
    expect((await store.get(["lost", "after"])).map(({ id }) => id)).toEqual(["after"]);
  });

  test("does not fail who only reads", async () => {
    await using line = await cutLine(url);
    await using store = await opened(line.url);
    line.cut();
    expect(await store.get(["none"])).toEqual([]);
    line.mute("server");
    const reading = store.lastSeq("none");
    line.cut();
    expect(await reading).toBe(0);
  });

  test("before the commit is heard leaves nothing, as the stamp tells", async () => {
    await using line = await cutLine(url);
    await using store = await opened(line.url);
    await store.transact((tx) => tx.write({ stamp: { by: "unheard", n: 1 } }));
    const unheard = store.transact(async (tx) => {
      await tx.write({ insert: [sampleTask("unheard")], stamp: { by: "unheard", n: 2 } });
      await tx.read(["unheard"]);
      line.mute("client");
      setImmediate(() => line.cut());
    });
    await expect(unheard).rejects.toMatchObject({ name: "OutcomeUnknown" });
    expect(await toldStamp(store, "unheard")).toBe(1);
    expect(await store.get(["unheard"])).toEqual([]);
  });
}

/** Asks until the server has ended what it heard of last. */
async function toldStamp(store: Store, by: string): Promise<number> {
  for (;;) {
    const told = await store.stamped(by).catch((error: { code?: string }) => error.code);
    if (typeof told === "number") return told;
    expect(told).toBe("STORE_BUSY");
  }
}
