import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Store } from "../../ports/store.ts";
import { UnreadableError } from "../../ports/unreadable.ts";
import { sampleItems, sampleSwarm } from "../../testing/store-suite/sample-record.ts";
import { sqliteStore } from "./index.ts";

let folder: string;
let store: Store;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mageflow-"));
  store = sqliteStore(join(folder, "store.db"));
  await store.open();
  const swarm = sampleSwarm("r");
  const items = sampleItems(swarm, 5).map((item) => ({ ...item, status: "READY" as const, readyAt: 1 }));
  const specs = [{ rootId: "r", id: swarm.spec, body: "{}" }];
  const journal = new Map([
    ["r", [{ id: "r", type: "created", status: "PENDING", generation: 1, attempt: 0 } as const]],
  ]);
  await store.transact((tx) => tx.write({ insert: [swarm, ...items], specs, journal }));
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** What somebody may do to the file beside MageFlow. */
function edit(sql: string): void {
  const db = new DatabaseSync(join(folder, "store.db"));
  db.exec(sql);
  db.close();
}

const DAMAGES: readonly [column: string, sql: string, says: string][] = [
  ["status", "UPDATE signatures SET status = 'WEIRD' WHERE id = 'r.1'", 'its status "WEIRD" is none'],
  ...["error", "family", "stop", "lock", "tags"].map((column): [string, string, string] => [
    column,
    `UPDATE signatures SET ${column} = '{' WHERE id = 'r.1'`,
    `its column ${column} is not JSON`,
  ]),
];

describe.each(DAMAGES)("a record whose %s is damaged", (_, sql, says) => {
  beforeEach(() => edit(sql));

  test("is named where it is asked for", async () => {
    const asked = await store.get(["r.0", "r.1"]).catch((error: unknown) => error);
    expect(asked).toBeInstanceOf(UnreadableError);
    expect(asked).toMatchObject({ code: "STORE_CORRUPT", id: "r.1" });
    expect((asked as Error).message).toContain(says);
    const locked = store.transact((tx) => tx.lock(["r.0", "r.1"], { wait: true }));
    await expect(locked).rejects.toMatchObject({ code: "STORE_CORRUPT", id: "r.1" });
  });

  test("is left out where many are read, and costs no page its length", async () => {
    const pages = {
      scan: await store.scan({ after: null, limit: 3 }),
      list: await store.list({ roots: false, after: null, limit: 5 }),
      ready: await store.transact((tx) =>
        tx.ready({ workerId: "w", slots: 3, tasks: new Map([["task of r", 3]]) }),
      ),
      read: await store.transact((tx) => tx.read(["r.0", "r.1", "r.2"])),
    };
    expect(pages.scan.map(({ id }) => id)).toEqual(["r", "r.0", "r.2"]);
    expect(pages.list.map(({ id }) => id)).toEqual(["r.4", "r.3", "r.2", "r.0", "r"]);
    expect(pages.ready.map(({ id }) => id)).toEqual(["r.0", "r.2", "r.3"]);
    expect(pages.read.map(({ id }) => id)).toEqual(["r.0", "r.2"]);
  });

  test("is a damage of the store", async () => {
    expect(await store.damage(10)).toEqual([{ id: "r.1", message: says }]);
  });
});

test("a window of children to start is as long as it can be", async () => {
  edit("UPDATE signatures SET status = 'PENDING', ready_at = NULL WHERE id <> 'r'");
  edit("UPDATE signatures SET tags = '{' WHERE id = 'r.1'");
  const window = await store.transact((tx) => tx.window({ id: "r", what: "start", limit: 3 }));
  expect(window.map(({ id }) => id)).toEqual(["r.0", "r.2", "r.3"]);
});

test("specs and journals that cannot be read are damages of their workflow", async () => {
  edit("UPDATE specs SET body = '{'; UPDATE journal SET body = '['");
  const journal = store.journal({ rootId: "r", after: 0, limit: 1 });
  await expect(journal).rejects.toMatchObject({ code: "STORE_CORRUPT", id: "r" });
  expect(await store.damage(10)).toEqual([
    { id: "r", message: expect.stringMatching(/^its spec ".*" is not JSON$/) },
    { id: "r", message: "entry 1 of its journal is not JSON" },
  ]);
});

test("an instant that is none is not waited for", async () => {
  edit("UPDATE signatures SET status = 'WAITING', due_at = 'soon' WHERE id = 'r.1'");
  expect(await store.nextDue()).toBeNull();
});
