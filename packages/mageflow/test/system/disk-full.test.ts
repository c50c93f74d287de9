import { execFileSync, spawnSync } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { MageFlow } from "mageflow";
import { expect, test } from "vitest";
import { folder, program } from "./program.ts";

/** The system refuses to let any file of a process grow beyond a limit, and lifts it again: util-linux's `prlimit`. */
const PRLIMIT = "prlimit";
const hasPrlimit = spawnSync(PRLIMIT, ["--version"]).status === 0;

test.skipIf(!hasPrlimit)("a process goes on when there is room again, and has lost nothing", async () => {
  using place = folder();
  await using child = program("short-of-room", place.store, place.file);
  const limit = (bytes: string): void =>
    void execFileSync(PRLIMIT, ["--pid", String(child.pid), `--fsize=${bytes}:unlimited`]);
  await child.says("entered");
  const size = await child.says("size");

  limit(size);
  child.tell("submit");
  const refused = JSON.parse(await child.says("refused")) as { code: string; message: string };
  expect(refused).toMatchObject({ name: "StoreError", code: "STORE_FULL", typed: true });
  expect(refused.message).toContain("free some space");
  // What ends now cannot be stored; readers do not notice.
  child.tell("finish");
  await child.says("returned");
  child.tell("read");
  expect(JSON.parse(await child.says("listed"))).toEqual(["held RUNNING"]);

  limit("unlimited");
  expect(await child.says("result")).toBe("kept");
  child.tell("submit");
  const id = await child.says("acknowledged");
  expect(await child.says("done")).toBe("900000");

  await using mage = new MageFlow({ store: place.store });
  const { items } = await mage.list();
  expect(items.map(({ name, status }) => `${name} ${status}`)).toEqual(["large SUCCEEDED", "held SUCCEEDED"]);
  expect(items[0]!.id).toBe(id);
  expect(items[1]).toMatchObject({ attempt: 1, recoveries: 0 });
  using database = new DatabaseSync(place.file);
  expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
});
