import { expect, test } from "vitest";
import { cutLine } from "../../../../scripts/servers/cut-line.ts";
import type { Store } from "../../src/ports/store.ts";
import type { OpenStore } from "./open-store.ts";

/** How the bell of a store on a server is heard; `opened` opens one at a URL. */
export function bellCases(url: string, opened: (url: string) => Promise<OpenStore>): void {
  test("is heard at other stores", async () => {
    await using one = await opened(url);
    await using other = await opened(url);
    expect(await rings(other, () => commit(one))).toBe(true);
  });

  test("is heard again after its connection was lost", async () => {
    await using line = await cutLine(url);
    await using one = await opened(url);
    await using other = await opened(line.url);
    expect(await rings(other, () => commit(one))).toBe(true);
    line.cut();
    expect(await rings(other, () => commit(one))).toBe(true);
  });

  test("is heard by those who listened before the store was closed and opened again", async () => {
    await using one = await opened(url);
    await using other = await opened(url);
    const heard = rings(other, () => commit(one));
    await other.close();
    await other.open();
    expect(await heard).toBe(true);
  });
}

/** Does something until somebody who listens at the store hears of it. */
export async function rings(store: Store, work: () => Promise<unknown>): Promise<boolean> {
  let heard = false;
  const leave = store.watch(() => (heard = true));
  while (!heard) await work();
  leave();
  return heard;
}

let commits = 0;

async function commit(store: Store): Promise<void> {
  await store.transact((tx) => tx.write({ specs: [{ rootId: "bell", id: String(++commits), body: "{}" }] }));
}
