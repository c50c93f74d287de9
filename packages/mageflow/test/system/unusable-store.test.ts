import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Breach, MageFlow, StoreError, swarm } from "mageflow";
import { expect, test } from "vitest";
import { type Folder, folder, program } from "./program.ts";

/** A store with a settled workflow in it. */
async function used(place: Folder): Promise<void> {
  await using mage = new MageFlow({ store: place.store });
  await using _worker = await mage.worker();
  await (await mage.run(mage.task("first", () => null))).result();
}

async function refusal(place: Folder): Promise<StoreError> {
  const mage = new MageFlow({ store: place.store });
  const error: unknown = await mage.run(mage.task("one", () => null)).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  await mage.close();
  expect(error).toBeInstanceOf(StoreError);
  return error as StoreError;
}

test("a file that may not be written", async (context) => {
  using place = folder();
  await used(place);
  chmodSync(place.file, 0o444);
  const folderOf = dirname(place.file);
  chmodSync(folderOf, 0o555);
  // No rights keep the superuser from writing: it steps down first.
  const nobody = process.getuid?.() === 0 ? 65_534 : null;
  if (nobody !== null) {
    try {
      chownSync(place.file, nobody, nobody);
      chownSync(folderOf, nobody, nobody);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
      chmodSync(folderOf, 0o755);
      context.skip("this user namespace has no user but the superuser, whom no rights keep from writing");
    }
  }
  await using child = program("try-to-run", place.store, ...(nobody === null ? [] : [String(nobody)]));
  expect(JSON.parse(await child.says("refused"))).toMatchObject({
    name: "StoreError",
    code: "STORE_READ_ONLY",
    message: expect.stringContaining("give this user the right to write"),
    typed: true,
  });
  chmodSync(folderOf, 0o755);
});

test("a file that is no database", async () => {
  using place = folder();
  writeFileSync(place.file, "It was a dark and stormy night. ".repeat(1_000));
  const error = await refusal(place);
  expect(error.code).toBe("STORE_CORRUPT");
  expect(error.message).toContain("restore it from a backup");
});

test("a database that was cut short", async () => {
  using place = folder();
  await used(place);
  truncateSync(place.file, 8_192);
  const error = await refusal(place);
  expect(error.code).toBe("STORE_CORRUPT");
  expect(error.message).toContain(place.file);
});

test("a database with noise in its middle, which opens", async () => {
  using place = folder();
  {
    await using mage = new MageFlow({ store: place.store });
    const one = mage.task("one", () => null);
    await mage.run(swarm(Array.from({ length: 5_000 }, () => one)));
  }
  const { size } = statSync(place.file);
  const handle = openSync(place.file, "r+");
  writeSync(handle, randomBytes(size / 4), 0, size / 4, Math.floor(size / 2 / 4_096) * 4_096);
  closeSync(handle);
  const breaches: Breach[] = [];
  for await (const breach of new MageFlow({ store: place.store }).verify()) breaches.push(breach);
  expect(breaches[0]).toMatchObject({ invariant: "STORE", severity: "breach" });
  expect(breaches[0]!.id).toContain(place.file);
  expect(breaches.at(-1)!.message).toContain("the audit ends here");
});

test("a database of a later MageFlow", async () => {
  using place = folder();
  await used(place);
  using database = new DatabaseSync(place.file);
  database.exec("PRAGMA user_version = 99");
  database.close();
  const error = await refusal(place);
  expect(error.code).toBe("STORE_NEWER");
  expect(error.message).toContain("update MageFlow");
});

test("a database of another program", async () => {
  using place = folder();
  using database = new DatabaseSync(place.file);
  database.exec("CREATE TABLE theirs (a)");
  database.close();
  const error = await refusal(place);
  expect(error.code).toBe("STORE_UNAVAILABLE");
  expect(error.message).toContain("give MageFlow a file of its own");
});

test("a path that leads nowhere", async () => {
  using place = folder();
  mkdirSync(place.file);
  const error = await refusal(place);
  expect(error.code).toBe("STORE_UNAVAILABLE");
  expect(error.message).toContain("check the path");
});

test("a file that another process has locked", { timeout: 60_000 }, async () => {
  using place = folder();
  await used(place);
  using other = new DatabaseSync(place.file);
  other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  const error = await refusal(place);
  expect(error.code).toBe("STORE_BUSY");
  expect(error.message).toContain("end the process that holds it");
  other.close();
  await used(place);
});

test("a lock that is let go in time goes unnoticed", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const one = mage.task("one", () => 1);
  await using _worker = await mage.worker();
  using other = new DatabaseSync(place.file);
  other.exec("BEGIN IMMEDIATE");
  const submitted = mage.run(one);
  await expect(Promise.race([submitted, mage.list()])).resolves.toEqual({ items: [], next: null });
  other.exec("ROLLBACK");
  expect(await (await submitted).result({ timeout: "10s" })).toBe(1);
});
