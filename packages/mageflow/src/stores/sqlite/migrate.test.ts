import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ALL_RESUME } from "../../core/recovery.ts";
import { Connection } from "./connection.ts";
import { migrate } from "./migrate.ts";
import { MIGRATIONS } from "./migrations.ts";
import { WorkerTable } from "./worker-table.ts";

function tablesOf(db: Connection): string[] {
  return db.all<[string]>("SELECT name FROM sqlite_schema WHERE type = 'table'").map(([name]) => name);
}

function versionOf(db: Connection): number {
  return db.get<[number]>("PRAGMA user_version")![0];
}

function memory(): Connection {
  return new Connection(null, { readOnly: false });
}

describe("migrate", () => {
  test("makes the schema once", () => {
    const db = memory();
    migrate(db, null);
    expect(versionOf(db)).toBe(MIGRATIONS.length);
    expect(tablesOf(db)).toContain("signatures");
    migrate(db, null);
    expect(versionOf(db)).toBe(MIGRATIONS.length);
    expect(db.inTransaction).toBe(false);
  });

  test("applies what is new, in order", () => {
    const db = memory();
    migrate(db, null, ["CREATE TABLE one (a)"]);
    migrate(db, null, ["CREATE TABLE never (a)", "CREATE TABLE two (a)", "ALTER TABLE two RENAME TO three"]);
    expect(tablesOf(db)).toEqual(["one", "three"]);
    expect(versionOf(db)).toBe(3);
  });

  test("lets all tasks go on of workers that were there before there were rules", () => {
    const db = memory();
    migrate(db, null, MIGRATIONS.slice(0, 1));
    db.exec("INSERT INTO workers VALUES ('w', 'h', 1, '[]', 1, 1, 1, NULL)");
    migrate(db, null);
    expect(new WorkerTable(db).newest(1)[0]!.autoResume).toEqual(ALL_RESUME);
  });

  test("keeps nothing of a migration that fails", () => {
    const db = memory();
    migrate(db, null, ["CREATE TABLE one (a)"]);
    const failing = ["", "CREATE TABLE two (a)", "CREATE TABLE three (a); CREATE TABLE one (a)"];
    expect(() => migrate(db, null, failing)).toThrow("already exists");
    expect(tablesOf(db)).toEqual(["one"]);
    expect(versionOf(db)).toBe(1);
    expect(db.inTransaction).toBe(false);
  });

  test("finds the work done when another process migrates while it looks", () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), "mageflow-"));
    const path = join(folder.path, "shared.db");
    const rival = new Connection(path, { readOnly: false });
    rival.exec("PRAGMA journal_mode = WAL");
    const db = new Connection(path, { readOnly: false });
    const get = db.get.bind(db);
    db.get = (sql, ...parameters) => {
      const row = get(sql, ...parameters);
      migrate(rival, path);
      return row as never;
    };
    migrate(db, path);
    expect(versionOf(rival)).toBe(MIGRATIONS.length);
    db.close();
    rival.close();
  });

  test("refuses a newer schema, and says what to do", () => {
    const db = memory();
    migrate(db, null, ["", ""]);
    expect(() => migrate(db, null, [""])).toThrow(
      expect.objectContaining({ code: "STORE_NEWER", message: expect.stringContaining("update MageFlow") }),
    );
  });

  test("refuses a database of another program", () => {
    const db = memory();
    db.exec("CREATE TABLE theirs (a); PRAGMA user_version = 1");
    expect(() => migrate(db, null)).toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE" }));
    expect(tablesOf(db)).toEqual(["theirs"]);
  });
});
