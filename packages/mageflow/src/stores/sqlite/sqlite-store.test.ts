import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Store, Transaction } from "../../ports/store.ts";
import { sampleTask } from "../../testing/store-suite/sample-record.ts";
import { sqliteStore } from "./index.ts";

let folder: string;
let store: Store;
/** Another connection to the same file, as another process has it. */
let other: Store;
let time: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mageflow-"));
  time = 1_000;
  store = sqliteStore(join(folder, "store.db"), { now: () => time });
  other = sqliteStore(join(folder, "store.db"));
  await store.open();
  await other.open();
});

afterEach(async () => {
  await store.close();
  await other.close();
  rmSync(folder, { recursive: true });
});

function insert(into: Store, ...ids: string[]): Promise<void> {
  return into.transact((tx) => tx.write({ insert: ids.map((id) => sampleTask(id)) }));
}

/** Locks one record and writes it with one more attempt. */
async function count(tx: Transaction, id: string): Promise<void> {
  const { records } = await tx.lock([id], { wait: true });
  await turn();
  await tx.write({ update: records.map((record) => ({ ...record, attempt: record.attempt + 1 })) });
}

test("the address opens the same database", async () => {
  await insert(store, "a");
  const { openStore } = (await import(store.address!.module)) as { openStore: (url: string) => Store };
  const opened = openStore(store.address!.url);
  await opened.open();
  expect(await opened.get(["a"])).toHaveLength(1);
  await opened.close();
});

test("a transaction stays open over turns of the event loop; reads beside it see what was committed", async () => {
  const seen: number[] = [];
  await store.transact(async (tx) => {
    await tx.write({ insert: [sampleTask("a")] });
    for (let n = 0; n < 5; n++) {
      await turn();
      seen.push((await store.get(["a"])).length, (await other.get(["a"])).length);
    }
    await tx.write({ insert: [sampleTask("b")] });
  });
  expect(seen).toEqual(Array(10).fill(0));
  expect(await other.get(["a", "b"])).toHaveLength(2);
});

test("what two connections count together comes out right, whatever each remembers", async () => {
  await insert(store, "a", "b");
  const transactions = Array.from({ length: 40 }, (_, n) =>
    (n % 3 === 0 ? other : store).transact((tx) => count(tx, n % 2 === 0 ? "a" : "b")),
  );
  await Promise.all(transactions);
  const attempts = (await store.get(["a", "b"])).map(({ attempt }) => attempt);
  expect(attempts).toEqual([20, 20]);
});

test("what was rolled back is not remembered", async () => {
  await insert(store, "a");
  await store.transact((tx) => count(tx, "a"));
  const failing = store.transact(async (tx) => {
    await count(tx, "a");
    throw new Error("stop");
  });
  await expect(failing).rejects.toThrow("stop");
  const now = await store.transact(async (tx) => (await tx.lock(["a"], { wait: true })).records[0]!.attempt);
  expect(now).toBe(1);
});

test("what was discarded is not remembered", async () => {
  const item = sampleTask("r.1", { rootId: "r" });
  await store.transact((tx) => tx.write({ insert: [item], drafts: [{ begin: "r" }] }));
  await store.transact((tx) => tx.read([item.id]));
  await store.transact((tx) => tx.discard("r", 10));
  expect(await store.transact((tx) => tx.read([item.id]))).toEqual([]);
});

test("an update of what was not read writes what differs from the database", async () => {
  await insert(store, "a");
  await store.transact((tx) => tx.write({ update: [sampleTask("a", { attempt: 3, tags: ["x"] })] }));
  expect(await other.get(["a"])).toEqual([sampleTask("a", { attempt: 3, tags: ["x"] })]);
});

test("a transaction whose statement failed keeps nothing, also when the error was caught", async () => {
  await insert(store, "a");
  const careless = store.transact(async (tx) => {
    await tx.write({ insert: [sampleTask("b")] });
    await tx.write({ insert: [sampleTask("a")] }).catch(() => {});
    await tx.write({ insert: [sampleTask("c")] }).catch(() => {});
    return "done";
  });
  await expect(careless).rejects.toThrow("constraint");
  expect(await store.get(["b", "c"])).toEqual([]);
  await insert(store, "b");
});

test("an error of the work comes through, whatever it looks like", async () => {
  const error = Object.assign(new Error("of somebody else's file"), { code: "EACCES", errcode: 5 });
  await expect(store.transact(() => Promise.reject(error))).rejects.toBe(error);
});

test("a transaction that is over does nothing more", async () => {
  const kept = await store.transact(async (tx) => tx);
  await expect(kept.write({ insert: [sampleTask("late")] })).rejects.toThrow("over");
  await expect(kept.read(["late"])).rejects.toThrow("over");
  expect(await store.get(["late"])).toEqual([]);
});

test("time never goes back", async () => {
  const now = (): Promise<number> => store.transact(async (tx) => tx.now);
  expect(await now()).toBe(1_000);
  time = 400;
  expect(await now()).toBe(1_000);
  time = 1_000.9;
  expect(await now()).toBe(1_000);
  time = 2_000;
  expect(await now()).toBe(2_000);
});

test("a watch rings for commits of other connections, also while a transaction is open", async () => {
  let ring = Promise.withResolvers<string>();
  const end = store.watch(() => ring.resolve("rang"));
  await insert(other, "a");
  expect(await ring.promise).toBe("rang");
  ring = Promise.withResolvers();
  await insert(other, "b");
  expect(await store.transact(() => ring.promise)).toBe("rang");
  end();
});

test("a store that is not open says so", async () => {
  const closed = sqliteStore(join(folder, "store.db"));
  await expect(closed.get(["a"])).rejects.toThrow("call open() first");
  await expect(closed.transact(async () => 1)).rejects.toThrow("call open() first");
});

test("opening makes the folder", async () => {
  const below = sqliteStore(join(folder, "a", "b", "store.db"));
  await Promise.all([below.open(), below.open()]);
  await insert(below, "a");
  expect(await below.get(["a"])).toHaveLength(1);
  await below.close();
});

test("an instant that is none, which SQLite keeps like any other, is not waited for", async () => {
  await insert(store, "a");
  const db = new DatabaseSync(join(folder, "store.db"));
  db.exec("UPDATE signatures SET status = 'WAITING', due_at = 'soon'");
  db.close();
  expect(await store.nextDue()).toBeNull();
});
