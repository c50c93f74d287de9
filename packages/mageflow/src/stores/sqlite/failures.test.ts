import {
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
  closeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { StoreError } from "../../core/errors.ts";
import { sampleItems, sampleSwarm } from "../../testing/store-suite/sample-record.ts";
import { Database } from "./database.ts";
import { explain } from "./failures.ts";
import { sqliteStore } from "./index.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mageflow-"));
  path = join(folder, "store.db");
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Every message says where, and what happened in SQLite's own words. */
function fault(code: string): unknown {
  return expect.objectContaining({ code, message: expect.stringContaining(path), cause: expect.anything() });
}

async function fill(): Promise<void> {
  const store = sqliteStore(path);
  await store.open();
  await store.transact((tx) => tx.write({ insert: sampleItems(sampleSwarm("r"), 500, { bound: '"x"' }) }));
  await store.close();
}

test("a file that is no database is refused, and left as it is", async () => {
  writeFileSync(path, "no database, but long enough to have a header of one".repeat(99));
  await expect(sqliteStore(path).open()).rejects.toThrow(fault("STORE_CORRUPT"));
  expect(readFileSync(path, "utf8")).toContain("no database");
});

test("a folder in the place of the file is refused", async () => {
  mkdirSync(path);
  await expect(sqliteStore(path).open()).rejects.toThrow(fault("STORE_UNAVAILABLE"));
});

test("a file in the place of the folder is refused", async () => {
  writeFileSync(path, "");
  const store = sqliteStore(join(path, "below.db"));
  await expect(store.open()).rejects.toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE" }));
});

test("damaged pages are found when they are read", async () => {
  await fill();
  const file = openSync(path, "r+");
  for (let page = 1; page < readFileSync(path).length / 8_192; page++)
    writeSync(file, "damage", page * 8_192);
  closeSync(file);
  const store = sqliteStore(path);
  const used = async (): Promise<unknown> => {
    await store.open();
    return store.get(["r.1"]);
  };
  await expect(used()).rejects.toThrow(fault("STORE_CORRUPT"));
  await store.close();
});

test("a schema of a newer version is refused", async () => {
  await fill();
  const db = new DatabaseSync(path);
  db.exec("PRAGMA user_version = 999");
  db.close();
  await expect(sqliteStore(path).open()).rejects.toThrow(
    expect.objectContaining({ code: "STORE_NEWER" }) as Error,
  );
});

test("a lock that another process keeps is waited for, then told", async () => {
  await fill();
  const other = new DatabaseSync(path);
  other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; CREATE TABLE theirs (a); COMMIT");
  await expect(sqliteStore(path, { patience: 30 }).open()).rejects.toThrow(fault("STORE_BUSY"));
  const patient = sqliteStore(path).open();
  other.close();
  await expect(patient).resolves.toBeUndefined();
});

test("a transaction that another process keeps open is waited for, then told", async () => {
  await fill();
  const store = sqliteStore(path, { patience: 30 });
  await store.open();
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  let worked = 0;
  const attempt = (): Promise<number> => store.transact(async () => ++worked);
  await expect(attempt()).rejects.toThrow(fault("STORE_BUSY"));
  expect(worked).toBe(0);
  expect(await store.get(["r.1"])).toHaveLength(1);
  other.exec("ROLLBACK");
  expect(await attempt()).toBe(1);
  other.close();
  await store.close();
});

test("a database that may not grow is full: nothing is kept, reads go on, and so do writes once there is room", () => {
  const database = Database.open(path);
  const { writer } = database;
  const [pages] = writer.get<[number]>("PRAGMA page_count")!;
  writer.exec(`PRAGMA max_page_count = ${pages + 4}`);
  const write = (): void => {
    writer.exec("BEGIN IMMEDIATE");
    try {
      for (let n = 0; n < 100; n++)
        writer.run("INSERT INTO specs VALUES ('r', ?, ?)", `${n}`, "x".repeat(8_000));
      writer.exec("COMMIT");
    } catch (error) {
      writer.rollback();
      throw explain(error, path);
    }
  };
  const count = (): unknown => database.snapshot(({ specs }) => specs.get([{ rootId: "r", id: "0" }]).length);
  expect(write).toThrow(fault("STORE_FULL"));
  expect(writer.inTransaction).toBe(false);
  expect(count()).toBe(0);
  writer.exec("PRAGMA max_page_count = 100000");
  write();
  expect(count()).toBe(1);
  database.close();
});

test("what is no failure of the database comes through", () => {
  const error = new RangeError("of somebody else");
  expect(explain(error, path)).toBe(error);
  expect(explain("thrown", path)).toBe("thrown");
  expect(explain(Object.assign(new Error("no space"), { code: "ENOSPC" }), path)).toBeInstanceOf(StoreError);
});
