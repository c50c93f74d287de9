import { execFile, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isAloneAsRoot } from "../../../../scripts/servers/server-user.ts";
import type { SpecRow } from "../../src/core/record.ts";
import type { Store } from "../../src/ports/store.ts";
import { openStore } from "../../src/stores/sqlite/index.ts";
import { MIGRATIONS } from "../../src/stores/sqlite/migrations.ts";
import { storeSuite } from "../../src/testing/store-suite/index.ts";

const ROW_LOCKS = "SQLite lets one transaction write at a time";

storeSuite({
  name: "SQLite in a file",
  create: () => opened(join(mkdtempSync(join(tmpdir(), "mageflow-")), "store.db")),
  reopen: async (store) => {
    await store.close();
    return opened(store.address!.url);
  },
  destroy: async (store) => {
    await store.close();
    rmSync(dirname(fileOf(store)), { recursive: true });
  },
  edit: async (store, sql) => {
    const db = new DatabaseSync(fileOf(store));
    db.exec(sql);
    db.close();
  },
  skip: { rowLocks: ROW_LOCKS },
});

storeSuite({
  name: "SQLite in memory",
  create: () => opened(":memory:"),
  destroy: (store) => store.close(),
  skip: {
    rowLocks: ROW_LOCKS,
    durable: "what it holds is gone with the object",
    editable: "what it holds is of its object alone",
  },
});

function fileOf(store: Store): string {
  return store.address!.url.slice("sqlite:".length);
}

/** The least that a transaction can write. */
function spec(rootId: string, n: number): SpecRow {
  return { rootId, id: String(n), body: "{}" };
}

async function opened(url: string): Promise<Store> {
  const store = openStore(url);
  await store.open();
  return store;
}

describe("SQLite among processes", () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "mageflow-"));
    path = join(folder, "store.db");
  });

  afterEach(() => {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true });
  });

  test("many that open a new file at once all find the schema", async () => {
    const script = `${OPEN}; await store.transact((tx) => tx.write({ specs: [{ rootId: String(process.pid), id: "1", body: "{}" }] }));`;
    await Promise.all(Array.from({ length: 6 }, () => run(script, path)));
    const db = new DatabaseSync(path);
    expect(db.prepare("SELECT count(*) AS n FROM specs").get()).toEqual({ n: 6 });
    expect(db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    db.close();
  });

  test("one that is killed at any statement of the schema has done nothing", async () => {
    // The statements of the schema, and the one that notes its version.
    const moments = MIGRATIONS.flatMap((sql) => sql.split(STATEMENT_END)).length + 1;
    const files = Array.from({ length: moments }, (_, n) => `${n}.db`);
    const left = [...files.entries()];
    const killer = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        await killedAtStatement(next[0], join(folder, next[1]));
      }
    };
    await Promise.all([killer(), killer(), killer(), killer()]);
    for (const name of files) {
      const db = new DatabaseSync(join(folder, name));
      expect(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()).toEqual({ n: 0 });
      db.close();
      const store = await opened(join(folder, name));
      await store.transact((tx) => tx.write({ specs: [spec("me", 1)] }));
      await store.close();
    }
  });

  test("one that is killed in the middle of a transaction leaves nothing of it, and all before it", async () => {
    const script = `${OPEN};
      await store.transact((tx) => tx.write({ specs: [{ rootId: "kept", id: "1", body: "{}" }] }));
      await store.transact(async (tx) => {
        await tx.write({ specs: [{ rootId: "lost", id: "1", body: "{}" }] });
        process.kill(process.pid, "SIGKILL");
        await new Promise(() => {});
      });`;
    await expect(run(script, path)).rejects.toHaveProperty("signal", "SIGKILL");
    const store = await opened(path);
    expect(await store.specs([spec("kept", 1), spec("lost", 1)])).toEqual([spec("kept", 1)]);
    await store.close();
  });

  test("one that commits without a break lets the others in", async () => {
    const store = await opened(path);
    const busy = spawnScript(
      `${OPEN}; console.log("busy");
       const specs = Array.from({ length: 500 }, (_, n) => ({ rootId: "", id: String(n), body: "{}" }));
       for (let n = 0; ; n++) await store.transact((tx) => tx.write({ specs: specs.map((row) => ({ ...row, rootId: String(n) })) }));`,
      path,
    );
    await new Promise((resolve) => busy.stdout.once("data", resolve));
    const waits: number[] = [];
    for (let n = 1; n <= 20; n++) {
      const begun = performance.now();
      await store.transact((tx) => tx.write({ specs: [spec("me", n)] }));
      waits.push(performance.now() - begun);
    }
    busy.kill("SIGKILL");
    // Without the bell a wait takes more than a second; with it, what one transaction of the other takes.
    expect(waits.toSorted((a, b) => a - b)[10]).toBeLessThan(500);
    await store.close();
  });

  test("a file that may not be written is refused", async (context) => {
    if (isAloneAsRoot()) context.skip("no user here but the superuser, whom no rights keep from writing");
    await (await opened(path)).close();
    chmodSync(path, 0o444);
    chmodSync(folder, 0o555);
    await expect(asNobody(() => opened(path))).rejects.toThrow(
      expect.objectContaining({ code: "STORE_READ_ONLY" }),
    );
    await expect(asNobody(() => opened(join(folder, "new.db")))).rejects.toThrow(
      expect.objectContaining({ code: "STORE_UNAVAILABLE" }),
    );
  });

  test("a disk that fails to sync stops all writing: nothing is said to be kept that may be lost", async (context) => {
    if (!(await isInstalled("strace"))) context.skip("strace, which makes the syncs fail, is not installed");
    const script = `${OPEN};
      const report = { kept: 0, failures: [] };
      for (let n = 1; report.failures.length < 3; n++) {
        try { await store.transact((tx) => tx.write({ specs: [{ rootId: "me", id: String(n), body: "{}" }], stamp: { by: "me", n } })); report.kept = n; }
        catch (error) { report.failures.push(error.code ?? error.name); }
      }
      report.reads = (await store.get(["none"])).length;
      report.stamped = await store.stamped("me").catch((error) => error.code);
      console.log(JSON.stringify(report));`;
    const fault = [
      "strace",
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      "inject=fsync,fdatasync:error=EIO:when=30+",
    ];
    const [told] = (await nextLines(spawnScript(script, path, fault).stdout, 1)) as [{ kept: number }];
    expect(told).toEqual({
      kept: expect.any(Number),
      failures: ["OutcomeUnknown", "STORE_UNAVAILABLE", "STORE_UNAVAILABLE"],
      reads: 0,
      stamped: "STORE_UNAVAILABLE",
    });
    const store = await opened(path);
    const all = Array.from({ length: told.kept + 1 }, (_, n) => spec("me", n + 1));
    expect([told.kept, told.kept + 1]).toContain((await store.specs(all)).length);
    await store.close();
  });

  test("a full disk refuses what does not fit, and takes it once there is room", async () => {
    const script = `${OPEN};
      const text = JSON.stringify("x".repeat(1_000));
      const write = (n) => store.transact((tx) => tx.write({
        specs: Array.from({ length: 100 }, (_, id) => ({ rootId: String(n), id: String(id), body: text })),
      }));
      const report = { written: 0 };
      try { for (; ; report.written++) await write(report.written); } catch (error) { report.code = error.code; }
      const all = (count) => Array.from({ length: count }, (_, n) => ({ rootId: String(n), id: "99" }));
      report.read = (await store.specs(all(report.written + 1))).length;
      console.log(JSON.stringify(report));
      process.stdin.once("data", async () => {
        for (let n = 0; n < 100; n++) await write(report.written + n);
        console.log(JSON.stringify({ read: (await store.specs(all(report.written + 100))).length }));
        await store.close();
        process.stdin.destroy();
      });`;
    const child = spawnScript(script, path, ["prlimit", "--fsize=2000000:unlimited"]);
    const [refused] = (await nextLines(child.stdout, 1)) as [{ written: number; read: number; code: string }];
    expect(refused.code).toBe("STORE_FULL");
    expect(refused.read).toBe(refused.written);
    await promisify(execFile)("prlimit", [`--pid=${child.pid}`, "--fsize=unlimited"]);
    child.stdin.write("go");
    const [taken] = (await nextLines(child.stdout, 1)) as [{ read: number }];
    expect(taken.read).toBe(refused.written + 100);
  });
});

const INDEX = new URL("../../src/stores/sqlite/index.ts", import.meta.url).href;

/** Of the schema: no statement has one inside. */
const STATEMENT_END = /;\s*\n/;

/** The beginning of a script that has the store whose path is its argument. */
const OPEN = `import { openStore } from ${JSON.stringify(INDEX)};
  const store = openStore(process.argv[1]);
  await store.open()`;

const NODE = [process.execPath, "--conditions=@mageflow/source", "--input-type=module", "--eval"] as const;

function run(script: string, path: string): Promise<unknown> {
  const [node, ...options] = NODE;
  return promisify(execFile)(node, [...options, script, path]);
}

async function isInstalled(command: string): Promise<boolean> {
  return promisify(execFile)(command, ["-V"]).then(
    () => true,
    () => false,
  );
}

function spawnScript(script: string, path: string, prefix: readonly string[] = []) {
  const [command, ...rest] = [...prefix, ...NODE, script, path];
  return spawn(command, rest, { stdio: ["pipe", "pipe", "inherit"] });
}

async function nextLines(stream: NodeJS.ReadableStream, count: number): Promise<unknown[]> {
  let text = "";
  return new Promise((resolve, reject) => {
    const read = (chunk: unknown): void => {
      text += String(chunk);
      const lines = text.split("\n");
      if (lines.length <= count) return;
      stream.off("data", read);
      resolve(lines.slice(0, count).map((line) => JSON.parse(line) as unknown));
    };
    stream.on("data", read);
    stream.once("end", () => reject(new Error(`the script ended after ${JSON.stringify(text)}`)));
  });
}

/** Opens a store in a process that ends itself just before statement number `n` of the schema. */
async function killedAtStatement(n: number, path: string): Promise<void> {
  const script = `import { DatabaseSync } from "node:sqlite";
    const exec = DatabaseSync.prototype.exec;
    let left = ${n};
    DatabaseSync.prototype.exec = function (sql) {
      if (!/(CREATE|ALTER) (TABLE|INDEX|VIEW)|user_version/.test(sql)) return exec.call(this, sql);
      for (const statement of sql.split(${STATEMENT_END})) {
        if (left-- === 0) process.kill(process.pid, "SIGKILL");
        exec.call(this, statement);
      }
    };
    ${OPEN};`;
  await expect(run(script, path)).rejects.toHaveProperty("signal", "SIGKILL");
}

/** The rights of a file bind everybody but root. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid!(65_534);
  try {
    return await work();
  } finally {
    process.seteuid!(0);
  }
}
