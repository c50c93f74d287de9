import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import { afterAll, describe, expect, test } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import type { SignatureRecord } from "../../src/core/record.ts";
import type { Store } from "../../src/ports/store.ts";
import { mysqlStore, type ServerStoreOptions } from "../../src/stores/mysql/index.ts";
import { Connection } from "../../src/stores/mysql/connection.ts";
import { inventory } from "../../src/stores/mysql/inventory.ts";
import { locate } from "../../src/stores/mysql/location.ts";
import { MIGRATIONS } from "../../src/stores/mysql/migrations.ts";
import { Integrity } from "../../src/stores/server-integrity.ts";
import { storeSuite } from "../../src/testing/store-suite/index.ts";
import { sampleEntry } from "../../src/testing/store-suite/sample-entry.ts";
import { sampleLog } from "../../src/testing/store-suite/sample-log.ts";
import {
  sampleChild,
  sampleReady,
  sampleSwarm,
  sampleTask,
} from "../../src/testing/store-suite/sample-record.ts";
import { sampleWorker } from "../../src/testing/store-suite/sample-worker.ts";
import { serverCases } from "./server-cases.ts";
import { cutLine } from "../../../../scripts/servers/cut-line.ts";
import { ask, edit, findServer, freshDatabase } from "./mysql-server.ts";

const server = await findServer();

describe("on a server", needs(server), async () => {
  const place = server.missing === null ? await freshDatabase(server) : null;
  const { url, database } = place ?? { url: server.url, database: "" };

  afterAll(async () => place?.[Symbol.asyncDispose]());

  storeSuite({
    name: "MySQL",
    create: () => opened(url),
    reopen: async (store) => {
      await store.close();
      return opened(url);
    },
    destroy: (store) => store.close(),
    edit: (_, sql) => edit({ url }, sql),
  });

  describe("as every store on a server", () => {
    serverCases(url, opened);
  });

  describe("the schema", () => {
    test("many that open a new one at once all find it", async () => {
      await using fresh = await freshDatabase(server);
      await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          run(
            `await store.open();
               await store.transact((tx) => tx.write({ specs: [{ rootId: "${n}", id: "1", body: "{}" }] }));
               await store.close();`,
            fresh.url,
          ),
        ),
      );
      const count = `SELECT COUNT(*) AS n FROM ${fresh.database}.mageflow_specs`;
      expect(await ask(server, count)).toEqual([{ n: 6 }]);
    });

    test.for(["first", "second", "middle", "last"] as const)(
      "one that is killed at its %s statement is followed by one that finishes it",
      async (which) => {
        await using fresh = await freshDatabase(server);
        // That of the list of versions, those of the schema, and the one that notes its version.
        const count = MIGRATIONS.flat().length + 2;
        const at = { first: 0, second: 1, middle: count >> 1, last: count - 1 }[which];
        await expect(run(KILLED_AT(at), fresh.url)).rejects.toHaveProperty("signal", "SIGKILL");
        await using store = await opened(fresh.url);
        await store.transact((tx) => tx.write({ insert: [sampleTask("a")] }));
        expect(await store.get(["a"])).toHaveLength(1);
        const version = `SELECT version FROM ${fresh.database}.mageflow_schema`;
        expect(await ask(server, version)).toEqual([{ version: MIGRATIONS.length }]);
      },
    );

    test("of a newer version is refused, and left as it is", async () => {
      await using fresh = await freshDatabase(server);
      await (await opened(fresh.url)).close();
      await ask(server, `INSERT INTO ${fresh.database}.mageflow_schema VALUES (99)`);
      await expect(opened(fresh.url)).rejects.toMatchObject({
        code: "STORE_NEWER",
        message: expect.stringContaining("version 99"),
      });
    });

    test("stands beside the tables of others, but for those with names of its own", async () => {
      await using fresh = await freshDatabase(server);
      await ask(server, `CREATE TABLE ${fresh.database}.signatures (id int)`);
      await (await opened(fresh.url)).close();
      await using other = await freshDatabase(server);
      await ask(server, `CREATE TABLE ${other.database}.mageflow_signatures (id int)`);
      await expect(opened(other.url)).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
        message: expect.stringContaining("another program"),
      });
      const tables = `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '${other.database}'`;
      expect(await ask(server, tables)).toEqual([{ name: "mageflow_signatures" }]);
    });
  });

  describe("a server", () => {
    test("that has no such database is named without secrets", async () => {
      const wrong = new URL(url);
      wrong.username = "somebody";
      wrong.password = "secret";
      wrong.pathname = "/no_such_database";
      const store = mysqlStore(wrong.href);
      expect(store.name).not.toContain("secret");
      await expect(store.open()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      await expect(store.open()).rejects.not.toThrow("secret");
    });

    test("that does not answer is not there", async () => {
      await using line = await cutLine(url);
      const { url: gone } = line;
      await line[Symbol.asyncDispose]();
      await expect(opened(gone, { patience: 0 })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    });

    test("on which one may only read is refused", async () => {
      await using fresh = await freshDatabase(server);
      const user = fresh.database.slice(0, 30);
      await ask(server, `CREATE USER ${user} IDENTIFIED BY 'pass'`);
      try {
        await ask(server, `GRANT SELECT ON ${fresh.database}.* TO ${user}`);
        const reader = new URL(fresh.url);
        reader.username = user;
        reader.password = "pass";
        await expect(opened(reader.href)).rejects.toMatchObject({ code: "STORE_READ_ONLY" });
      } finally {
        await ask(server, `DROP USER ${user}`);
      }
    });
  });

  describe("a connection that is lost", () => {
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

    test("again and again does not fail who only reads", async () => {
      await using fresh = await freshDatabase(server);
      await using line = await cutLine(fresh.url);
      await using store = await opened(line.url);
      const holder = await createConnection(fresh.url);
      await holder.query("LOCK TABLES mageflow_journal_heads WRITE");
      const reading = store.lastSeq("none");
      const waiting = `SELECT id FROM information_schema.processlist
        WHERE db = '${fresh.database}' AND state LIKE 'Waiting for table%'`;
      const cut = new Set<number>();
      while (cut.size < 3) {
        const next = (await ask(server, waiting)).map(({ id }) => id as number).find((id) => !cut.has(id));
        if (next === undefined) continue;
        cut.add(next);
        line.cut();
      }
      await holder.query("UNLOCK TABLES");
      expect(await reading).toBe(0);
      await holder.end();
    });

    test("while the schema is being made does not fail who opens the store", async () => {
      await using fresh = await freshDatabase(server);
      await using line = await cutLine(fresh.url);
      const opening = opened(line.url);
      const tables = `SELECT 1 FROM information_schema.tables WHERE table_schema = '${fresh.database}' LIMIT 1`;
      while ((await ask(server, tables)).length === 0);
      line.cut();
      await using store = await opening;
      await store.transact((tx) => tx.write({ insert: [sampleTask("a")] }));
      expect(await store.get(["a"])).toHaveLength(1);
    });

    test("before the answer to a commit leaves it open, until its stamp is asked for", async () => {
      await using line = await cutLine(url);
      await using store = await opened(line.url);
      await using witness = await opened(url);
      await store.transact((tx) => tx.write({ stamp: { by: "kept", n: 1 } }));
      const [refused] = await Promise.allSettled([
        store.transact(async (tx) => {
          await tx.write({ insert: [sampleTask("kept")], stamp: { by: "kept", n: 2 } });
          await tx.read(["kept"]);
          line.mute("server");
        }),
        (async () => {
          while ((await witness.get(["kept"])).length === 0);
          line.cut();
        })(),
      ]);
      expect(refused).toMatchObject({ reason: { name: "OutcomeUnknown" } });
      expect(await store.stamped("kept")).toBe(2);
      expect(await store.stamped("kept")).toBe(2);
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
  });

  describe("side by side", () => {
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
      await blocked(database);
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
      await blocked(database);
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
        url,
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
  });

  test("whoever looks for damage reads each row some times only, however many there are", async () => {
    await using fresh = await freshDatabase(server);
    await using store = await opened(fresh.url);
    const ids = Array.from({ length: 3_000 }, (_, n) => `many ${n}`);
    const of = { generation: 1, body: "{}", progress: { fraction: 0.5, note: null } };
    await store.transact((tx) =>
      tx.write({
        specs: ids.map((rootId) => ({ rootId, id: "0", body: "{}" })),
        journal: new Map(ids.map((id) => [id, [sampleEntry(id)]])),
        checkpoints: ids.map((id) => ({ id, ...of })),
        progress: ids.map((id) => ({ id, ...of })),
      }),
    );
    const db = await Connection.open(locate(fresh.url));
    const reads = async (): Promise<number> =>
      Number((await db.get<[string, string]>("SHOW SESSION STATUS LIKE 'Handler_read_next'"))![1]);
    const before = await reads();
    expect(await new Integrity(inventory(db), 10).damage()).toEqual([]);
    expect(await reads()).toBeLessThan(before + 2 * 4 * ids.length);
    await db.close();
  });

  describe("the bell", () => {
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
  });

  test("a text may have what UTF-8 cannot carry, and a key what ends another", async () => {
    await using store = await opened(url);
    const message = "a\0b \ud800 \u001a0000 \u{1f600} \\' -- ;";
    await store.transact((tx) => tx.write({ logs: [sampleLog("raw", message)] }));
    expect(await store.logs({ id: "raw", contains: "\0b", after: 0, limit: 9 })).toMatchObject([{ message }]);
  });

  test("what is too much for one message goes in several, and lands at once or not at all", async () => {
    await using store = await opened(url);
    const large = (n: number): SignatureRecord =>
      sampleTask(`large${n}`, { bound: JSON.stringify("\\'".repeat(1_000) + "x".repeat(1_200_000)) });
    const records = Array.from({ length: 12 }, (_, n) => large(n));
    const taken = store.transact((tx) => tx.write({ insert: [...records, sampleTask("large7")] }));
    await expect(taken).rejects.toThrow("constraint");
    expect(await store.get(records.map(({ id }) => id))).toEqual([]);
    await store.transact((tx) => tx.write({ insert: records }));
    expect((await store.get(["large11"]))[0]).toEqual(large(11));
  });

  test("what is too much for any message is refused, and what cannot be written at all, and nothing is kept", async () => {
    await using store = await opened(url);
    const huge = { rootId: "huge", id: "1", body: "x".repeat(70_000_000) };
    const kept = { rootId: "huge", id: "0", body: "{}" };
    await expect(store.transact((tx) => tx.write({ specs: [kept, huge] }))).rejects.toThrow("bytes at once");
    const half = store.transact(async (tx) => {
      await tx.write({ specs: [kept] });
      await tx.write({ insert: [sampleTask("half", { slot: 0.5 })] });
    });
    await expect(half).rejects.toThrow("no whole number");
    expect(await store.specs([kept])).toEqual([]);
  });
});

type OpenStore = Store & AsyncDisposable;

async function opened(url: string, options?: ServerStoreOptions): Promise<OpenStore> {
  const store = mysqlStore(url, options);
  await store.open();
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
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

/** Waits until a transaction in this database waits for a lock. InnoDB tells nothing new to who has asked within a tenth of a second. */
async function blocked(database: string): Promise<void> {
  const waiting = `SELECT COUNT(*) AS n FROM information_schema.innodb_trx AS t
    JOIN information_schema.processlist AS p ON p.id = t.trx_mysql_thread_id
    WHERE p.db = '${database}' AND t.trx_state = 'LOCK WAIT'`;
  while ((await ask(server, waiting))[0]!["n"] === 0) await sleep(150);
}

/** Asks until the server has ended what it heard of last. */
async function toldStamp(store: Store, by: string): Promise<number> {
  for (;;) {
    const told = await store.stamped(by).catch((error: { code?: string }) => error.code);
    if (typeof told === "number") return told;
    expect(told).toBe("STORE_BUSY");
  }
}

/** Does something until somebody who listens at the store hears of it. */
async function rings(store: Store, work: () => Promise<unknown>): Promise<boolean> {
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

const INDEX = new URL("../../src/stores/mysql/index.ts", import.meta.url).href;

/** Runs a script that has the store of the url, in a process of its own. */
function run(script: string, url: string): Promise<unknown> {
  return promisify(execFile)(process.execPath, argumentsOf(script, url), { cwd: import.meta.dirname });
}

/** The same, killed at the end of its block. */
function spawnScript(script: string, url: string) {
  const child = spawn(process.execPath, argumentsOf(script, url), {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: import.meta.dirname,
  });
  return Object.assign(child, { [Symbol.dispose]: () => void child.kill("SIGKILL") });
}

function argumentsOf(script: string, url: string): string[] {
  const whole = `import { openStore } from ${JSON.stringify(INDEX)};
    const store = openStore(process.argv[1]);
    ${script}`;
  return ["--conditions=@mageflow/source", "--input-type=module", "--eval", whole, url];
}

/** Opens the store, and is killed before the statement of the schema with this number. */
const KILLED_AT = (number: number): string => `
  import { Connection } from "mysql2";
  const { query } = Connection.prototype;
  let left = ${number};
  Connection.prototype.query = function (options, done) {
    if (/CREATE TABLE|INSERT IGNORE INTO mageflow_(commits|gates|schema)/.test(options.sql) && left-- === 0)
      process.kill(process.pid, "SIGKILL");
    return query.call(this, options, done);
  };
  await store.open();`;
