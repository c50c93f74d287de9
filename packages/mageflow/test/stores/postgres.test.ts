import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import type { Store } from "../../src/ports/store.ts";
import { postgresStore, type ServerStoreOptions } from "../../src/stores/postgres/index.ts";
import { locate } from "../../src/stores/postgres/location.ts";
import { MIGRATIONS } from "../../src/stores/postgres/migrations.ts";
import { PostgresServer } from "../../src/stores/postgres/postgres-server.ts";
import type { PostgresTransaction } from "../../src/stores/postgres/postgres-transaction.ts";
import { storeSuite } from "../../src/testing/store-suite/index.ts";
import { sampleLog } from "../../src/testing/store-suite/sample-log.ts";
import {
  sampleChild,
  sampleItems,
  sampleReady,
  sampleSwarm,
  sampleTask,
} from "../../src/testing/store-suite/sample-record.ts";
import { sampleStop } from "../../src/testing/store-suite/sample-stop.ts";
import { sampleWorker } from "../../src/testing/store-suite/sample-worker.ts";
import { serverCases } from "./server-cases.ts";
import { cutLine } from "../../../../scripts/servers/cut-line.ts";
import { ask, dropSchema, findServer, freshSchema } from "./postgres-server.ts";

const server = await findServer();

describe("on a server", needs(server), () => {
  const { url, schema } = freshSchema(server);

  afterAll(() => dropSchema(server, schema));

  storeSuite({
    name: "PostgreSQL",
    create: () => opened(url),
    reopen: async (store) => {
      await store.close();
      return opened(url);
    },
    destroy: (store) => store.close(),
    edit: async (_, sql) => void (await ask(server, `SET search_path TO ${schema}; ${sql}`)),
  });

  describe("as every store on a server", () => {
    serverCases(url, opened);
  });

  test("a commit that cannot be counted is not kept, and told why", async () => {
    await using place = newPlace();
    await using store = await opened(place.url);
    await ask(server, `ALTER SEQUENCE ${place.schema}.commits RENAME TO gone`);
    const commit = store.transact((tx) => tx.write({ insert: [sampleTask("uncounted")] }));
    await expect(commit).rejects.toThrow('"commits" does not exist');
    expect(await store.get(["uncounted"])).toEqual([]);
  });

  test("a column that says again what is inside of a text, and is empty, is damage", async () => {
    await using place = newPlace();
    await using store = await opened(place.url);
    const stopped = sampleTask("stopped", { status: "INTERRUPTED", stop: sampleStop({ done: false }) });
    await store.transact((tx) => tx.write({ insert: [stopped] }));
    expect(await store.damage(9)).toEqual([]);
    await ask(server, `UPDATE ${place.schema}.signatures SET stop_done = NULL`);
    const message = "its column stop_done says other than stop";
    expect(await store.damage(9)).toEqual([{ id: "stopped", message }]);
  });

  test("what another process makes startable again is found soon, and when there is nothing else", async () => {
    await using one = await opened(url);
    await using two = await opened(url);
    const swarm = sampleSwarm("again");
    // As many as cannot be started one by one in half a second.
    const items = sampleItems(swarm, 2_000);
    await one.transact((tx) => tx.write({ insert: [swarm, ...items] }));
    const start = (limit: number): Promise<number[]> =>
      one.transact(async (tx) => {
        await tx.lock([swarm.id], { wait: true });
        const next = await tx.window({ id: swarm.id, what: "start", limit });
        await tx.write({ update: next.map((item) => ({ ...item, status: "READY", readyAt: 1 })) });
        return next.map(({ slot }) => slot);
      });
    const reopen = (slot: number): Promise<void> =>
      two.transact(async (tx) => {
        await tx.lock([items[slot]!.id], { wait: true });
        await tx.write({ update: [items[slot]!] });
      });
    expect(await start(2)).toEqual([0, 1]);
    await reopen(0);
    const found: number[] = [];
    while (found.at(-1) !== 0 && found.length < items.length) found.push(...(await start(1)));
    expect(found.length).toBeLessThan(items.length - 2);
    await reopen(1);
    expect(await start(items.length)).toContain(1);
    expect(await start(1)).toEqual([]);
  });

  test("a commit is known by its stamp: a server that has crashed may give the number of a transaction to another one", async () => {
    await using store = await opened(url);
    const postgres = new PostgresServer(locate(url));
    const db = await postgres.connect();
    try {
      const fate = (number: string, n: number): Promise<number | "open" | null> =>
        postgres.fate(db, { db, tx: { number, stamp: { by: "crash", n } } as PostgresTransaction });
      const [another] = (await db.get<[string]>("SELECT pg_current_xact_id()"))!;
      const toCome = String(BigInt(another) + 1_000_000n);
      expect([await fate(another, 1), await fate(toCome, 1)]).toEqual([0, 0]);
      await store.transact((tx) => tx.write({ insert: [sampleTask("crash")], stamp: { by: "crash", n: 1 } }));
      expect([await fate(another, 1), await fate(toCome, 1)]).toEqual([1, 1]);
      expect(await fate(another, 2)).toBe(1);
    } finally {
      await db.close();
    }
  });

  describe("the schema", () => {
    test("many that open a new one at once all find it", async () => {
      await using place = newPlace();
      await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          run(
            `await store.open();
               await store.transact((tx) => tx.write({ specs: [{ rootId: "${n}", id: "1", body: "{}" }] }));
               await store.close();`,
            place.url,
          ),
        ),
      );
      expect(await ask(server, `SELECT count(*)::int AS n FROM ${place.schema}.specs`)).toEqual([{ n: 6 }]);
    });

    test.for(["first", "second", "middle", "last"] as const)(
      "one that is killed at its %s statement has done nothing",
      async (which) => {
        await using place = newPlace();
        const count = MIGRATIONS.flatMap((sql) => sql.split(STATEMENT_END)).length;
        const at = { first: 0, second: 1, middle: count >> 1, last: count - 1 }[which];
        await expect(run(KILLED_AT(at), place.url)).rejects.toHaveProperty("signal", "SIGKILL");
        const left = `SELECT count(*)::int AS n FROM pg_namespace WHERE nspname = '${place.schema}'`;
        expect(await ask(server, left)).toEqual([{ n: 0 }]);
        await using store = await opened(place.url);
        await store.transact((tx) => tx.write({ insert: [sampleTask("a")] }));
        expect(await store.get(["a"])).toHaveLength(1);
      },
    );

    test("of a newer version is refused, and left as it is", async () => {
      await using place = newPlace();
      await (await opened(place.url)).close();
      await ask(server, `UPDATE ${place.schema}.mageflow_schema SET version = 99`);
      await expect(opened(place.url)).rejects.toMatchObject({
        code: "STORE_NEWER",
        message: expect.stringContaining("version 99"),
      });
    });

    test("of another program is refused, and left as it is", async () => {
      await using place = newPlace();
      await ask(server, `CREATE SCHEMA ${place.schema} CREATE TABLE other (id int)`);
      await expect(opened(place.url)).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
        message: expect.stringContaining("another program"),
      });
      const tables = `SELECT tablename FROM pg_tables WHERE schemaname = '${place.schema}'`;
      expect(await ask(server, tables)).toEqual([{ tablename: "other" }]);
    });
  });

  describe("a server", () => {
    test("that has no such database is named without secrets", async () => {
      const wrong = new URL(url);
      wrong.username = "somebody";
      wrong.password = "secret";
      wrong.pathname = "/no_such_database";
      const store = postgresStore(wrong.href);
      expect(store.name).not.toContain("secret");
      // What does not pass is not waited for.
      const begun = performance.now();
      await expect(store.open()).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
        message: expect.stringContaining("check the database, the user and the password"),
      });
      expect(performance.now() - begun).toBeLessThan(5_000);
      await expect(store.open()).rejects.not.toThrow("secret");
    });

    test("that does not answer is not there", async () => {
      await using line = await cutLine(url);
      const { url: gone } = line;
      await line[Symbol.asyncDispose]();
      await expect(opened(gone, { patience: 0 })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    });

    test("that takes no changes is refused", async () => {
      const readOnly = new URL(url);
      readOnly.searchParams.set("options", "-c default_transaction_read_only=on");
      await expect(opened(readOnly.href)).rejects.toMatchObject({ code: "STORE_READ_ONLY" });
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

    test("before the answer to a commit leaves it open, until its stamp is asked for", async () => {
      await using line = await cutLine(url);
      await using store = await opened(line.url);
      await using witness = await opened(url);
      await store.transact((tx) => tx.write({ stamp: { by: "kept", n: 1 } }));
      const [refused] = await Promise.allSettled([
        store.transact(async (tx) => {
          await tx.write({ insert: [sampleTask("kept")], stamp: { by: "kept", n: 2 } });
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
      await blocked(schema);
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
      await blocked(schema);
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

  describe("the bell", () => {
    test("is heard in other processes", async () => {
      await using one = await opened(url);
      await using other = await opened(url);
      expect(await rings(other, () => commit(one))).toBe(true);
    });

    test("is not needed: who ended before ringing is noticed", async () => {
      await using store = await opened(url);
      const count = (): Promise<unknown> => ask(server, `SELECT nextval('${schema}.commits')`);
      expect(await rings(store, count)).toBe(true);
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

  test("a log message may have what no text of PostgreSQL can", async () => {
    await using store = await opened(url);
    const message = "a\0b \ud800 \u001a0000 \u{1f600}";
    await store.transact((tx) => tx.write({ logs: [sampleLog("raw", message)] }));
    expect(await store.logs({ id: "raw", contains: "\0b", after: 0, limit: 9 })).toMatchObject([{ message }]);
  });
});

type OpenStore = Store & AsyncDisposable;

async function opened(url: string, options?: ServerStoreOptions): Promise<OpenStore> {
  const store = postgresStore(url, options);
  await store.open();
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

/** A schema that is dropped in the end. */
function newPlace(): { url: string; schema: string } & AsyncDisposable {
  const place = freshSchema(server);
  return { ...place, [Symbol.asyncDispose]: () => dropSchema(server, place.schema) };
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

/** Waits until a transaction in this schema waits for a lock. */
async function blocked(schema: string): Promise<void> {
  const waiting = `SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND application_name = 'mageflow' AND pid IN (
      SELECT pid FROM pg_locks WHERE relation = '${schema}.signatures'::regclass OR locktype = 'advisory')`;
  while ((await ask(server, waiting))[0]!["n"] === 0);
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

const INDEX = new URL("../../src/stores/postgres/index.ts", import.meta.url).href;

/** Of the schema: no statement has one inside. */
const STATEMENT_END = /;\s*\n/;

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

/** Opens the store statement by statement, and is killed before the one with this number. */
const KILLED_AT = (number: number): string => `
  import { Client } from "pg";
  const { query } = Client.prototype;
  const migrations = ${JSON.stringify(MIGRATIONS)};
  let made = 0;
  Client.prototype.query = async function (sql, ...rest) {
    if (!migrations.includes(sql)) return query.call(this, sql, ...rest);
    let answer;
    for (const statement of sql.split(${STATEMENT_END})) {
      if (made++ === ${number}) process.kill(process.pid, "SIGKILL");
      answer = await query.call(this, statement);
    }
    return answer;
  };
  await store.open();`;
