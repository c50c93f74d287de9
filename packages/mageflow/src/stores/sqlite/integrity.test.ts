import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Store } from "../../ports/store.ts";
import { sampleItems, sampleSwarm } from "../../testing/store-suite/sample-record.ts";
import { sqliteStore } from "./index.ts";

const PAGE = 4_096;

let folder: string;
let file: string;
let store: Store;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mageflow-"));
  file = join(folder, "store.db");
  store = sqliteStore(file);
  await store.open();
  const swarm = sampleSwarm("r", { tags: ["a tag"] });
  await store.transact((tx) => tx.write({ insert: [swarm, ...sampleItems(swarm, 4_000)] }));
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** Writes noise over some pages in the middle of the closed file. */
function garble(pages: number): void {
  const noise = Uint8Array.from({ length: pages * PAGE }, (_, n) => (n * 7_919) >> 3);
  const handle = openSync(file, "r+");
  const middle = Math.floor(statSync(file).size / 2 / PAGE) * PAGE;
  writeSync(handle, noise, 0, noise.length, middle);
  closeSync(handle);
}

test("pages that were written over are told of, no more than the limit", async () => {
  expect(await store.damage(100)).toEqual([]);
  await store.close();
  garble(3);
  store = sqliteStore(file);
  await store.open();
  const told = await store.damage(100);
  expect(told).not.toEqual([]);
  expect(told.map(({ message }) => message).join(" ")).toMatch(/page|not a sound SQLite database/);
  expect(await store.damage(1)).toHaveLength(1);
});
