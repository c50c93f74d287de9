import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import type { Store } from "../../src/ports/store.ts";
import { UnreadableError } from "../../src/ports/unreadable.ts";
import { openStore } from "../../src/stores/mysql/index.ts";
import { sampleItems, sampleSwarm, sampleTask } from "../../src/testing/store-suite/sample-record.ts";
import { ask, findServer, freshDatabase, type Place } from "./mysql-server.ts";

const server = await findServer();

describe("records that somebody has damaged", needs(server), () => {
  let place: Place;
  let store: Store;

  beforeEach(async () => {
    place = await freshDatabase(server);
    store = openStore(place.url);
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
    await place[Symbol.asyncDispose]();
  });

  /** What somebody may do to a table beside MageFlow. */
  async function edit(table: string, change: string): Promise<void> {
    await ask(server, `UPDATE ${place.database}.mageflow_${table} SET ${change}`);
  }

  describe.each<[column: string, change: string, says: string]>([
    ["status", "status = 'WEIRD'", 'its status "WEIRD" is none'],
    ...["error", "family", "stop", "lock", "tags"].map((column): [string, string, string] => [
      column,
      `\`${column}\` = '{'`,
      `its column ${column} is not JSON`,
    ]),
  ])("one whose %s is damaged", (_, change, says) => {
    beforeEach(() => edit("signatures", `${change} WHERE id = 'r.1'`));

    test("is named where it is asked for, and harms no transaction", async () => {
      const asked = await store.get(["r.0", "r.1"]).catch((error: unknown) => error);
      expect(asked).toBeInstanceOf(UnreadableError);
      expect(asked).toMatchObject({ code: "STORE_CORRUPT", id: "r.1" });
      expect((asked as Error).message).toContain(says);
      const locked = await store.transact(async (tx) => {
        const lock = tx.lock(["r.0", "r.1"], { wait: true });
        await expect(lock).rejects.toMatchObject({ code: "STORE_CORRUPT", id: "r.1" });
        return tx.lock(["r.0"], { wait: true });
      });
      expect(locked.records.map(({ id }) => id)).toEqual(["r.0"]);
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

  test("one that is gone leaves what stood below it to be claimed by nobody, and all else to be claimed", async () => {
    const ready = { status: "READY", readyAt: 1, name: "task of r" } as const;
    await store.transact((tx) => tx.write({ insert: [sampleTask("fine", ready)] }));
    await ask(server, `DELETE FROM ${place.database}.mageflow_signatures WHERE id = 'r'`);
    const seen = await store.transact(async (tx) => {
      const found = await tx.ready({ workerId: "w", slots: 9, tasks: new Map([["task of r", 9]]) });
      return { found: found.map(({ id }) => id), above: await tx.read(["r"]) };
    });
    expect(seen.found).toContain("fine");
    expect(seen.above).toEqual([]);
  });

  test("a window of children to start is as long as it can be", async () => {
    await edit("signatures", "status = 'PENDING', ready_at = NULL WHERE id <> 'r'");
    await edit("signatures", "tags = '{' WHERE id = 'r.1'");
    const window = await store.transact((tx) => tx.window({ id: "r", what: "start", limit: 3 }));
    expect(window.map(({ id }) => id)).toEqual(["r.0", "r.2", "r.3"]);
  });

  test("specs and journals that cannot be read are damages of their workflow", async () => {
    await edit("specs", "body = '{'");
    await edit("journal", "body = '['");
    const journal = store.journal({ rootId: "r", after: 0, limit: 1 });
    await expect(journal).rejects.toMatchObject({ code: "STORE_CORRUPT", id: "r" });
    expect(await store.damage(10)).toEqual([
      { id: "r", message: expect.stringMatching(/^its spec ".*" is not JSON$/) },
      { id: "r", message: "entry 1 of its journal is not JSON" },
    ]);
  });
});
