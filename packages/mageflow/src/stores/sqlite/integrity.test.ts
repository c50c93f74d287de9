import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Store } from "../../ports/store.ts";
import { sampleItems, sampleSwarm } from "../../testing/store-suite/sample-record.ts";
import { sampleWorker } from "../../testing/store-suite/sample-worker.ts";
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

/** What somebody may do to the file beside MageFlow. */
function edit(sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

test.each([
  ["a draft of what is stored", "INSERT INTO drafts VALUES ('r', 1)", "r", /hidden/],
  ["what is hidden, but not removed", "INSERT INTO drafts VALUES ('r', -1)", "r", /hidden/],
  [
    "a tombstone of what is stored",
    "INSERT INTO tombstones VALUES ('r', 'x', 'swarm', 'SUCCEEDED', 1, 'delete', 'me', NULL, NULL)",
    "r",
    /tombstone/,
  ],
  ["lost births", "DELETE FROM births", "r", /lists of what is inside it/],
  ["lost tags", "DELETE FROM root_tags", "r", /lists by its tag/],
  ["a journal with a gap", "DELETE FROM journal WHERE seq = 2", "r", /jumps to entry 3, but 2 comes next/],
  ["a journal without its beginning", "DELETE FROM journal WHERE seq = 1", "r", /jumps to entry 2, but 1/],
  [
    "a journal that counts wrong",
    "UPDATE journal SET count = 7 WHERE seq = 3",
    "r",
    /the 7 entries from 3 on/,
  ],
  ["a step that is no JSON", "UPDATE steps SET result = '{'", "r.0", /step "a" is not JSON/],
  ["a checkpoint that is no JSON", "UPDATE checkpoints SET body = '{'", "r.0", /checkpoint is not JSON/],
  ["a progress that is no JSON", "UPDATE progress SET body = '{'", "r.0", /progress is not JSON/],
  ["a worker that is no JSON", "UPDATE workers SET tasks = '{'", "w", /session/],
])("%s is told of", async (_, sql, id, says) => {
  const told = { id: "r", status: "RUNNING", generation: 1, attempt: 0 } as const;
  for (const type of ["created", "started", "waiting"] as const)
    await store.transact((tx) => tx.write({ journal: new Map([["r", [{ ...told, type }]]]) }));
  await store.transact((tx) =>
    tx.write({
      steps: [{ id: "r.0", generation: 1, name: "a", result: "1" }],
      checkpoints: [{ id: "r.0", generation: 1, body: "1" }],
      progress: [{ id: "r.0", generation: 1, progress: { fraction: 0.5, note: null } }],
      workers: [sampleWorker("w")],
    }),
  );
  expect(await store.damage(10)).toEqual([]);
  edit(sql);
  expect(await store.damage(10)).toEqual([{ id, message: expect.stringMatching(says) }]);
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
