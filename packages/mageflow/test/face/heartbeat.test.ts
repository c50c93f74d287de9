import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MageFlow } from "../../src/index.ts";
import type { Store } from "../../src/ports/store.ts";
import { openStore } from "../../src/stores/sqlite/index.ts";
import { gate } from "./gate.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mageflow-heartbeat-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A store that the heartbeat thread cannot open. */
function unreachable(store: Store): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "address") return { module: "file:///there/is/no/such/module.mjs", url: "sqlite:x" };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

test("a heartbeat thread that cannot run costs neither the session nor its tasks", async () => {
  await using mage = new MageFlow({ store: unreachable(openStore(join(folder, "face.db"))) });
  const { wait, reached, open: letGo } = gate();
  const task = mage.task("task", async (_input: unknown, { signal }) => {
    await wait();
    return signal.aborted;
  });
  const worker = await mage.worker();
  const run = await mage.run(task);
  await reached;
  letGo();
  expect(await run.result()).toBe(false);
  expect(await mage.workers()).toMatchObject([{ id: worker.id, endedAt: null }]);
  expect((await run.view()).recoveries).toBe(0);
});

test("closing lets go of the file, the thread included, and one thread serves all sessions", async () => {
  let started = 0;
  const count = (): void => void started++;
  process.on("worker", count);
  for (const name of ["a.db", "b.db"]) {
    const mage = new MageFlow({ store: join(folder, name) });
    mage.task("task", () => 1);
    await mage.worker();
    await mage.close();
  }
  process.off("worker", count);
  expect(started).toBeLessThanOrEqual(1);
  expect(openFiles().filter((file) => file.startsWith(folder))).toEqual([]);
});

/** Files that this process has open, as Linux tells; elsewhere none. */
function openFiles(): string[] {
  const links = "/proc/self/fd";
  if (!existsSync(links)) return [];
  return readdirSync(links).flatMap((fd) => {
    try {
      return readlinkSync(join(links, fd));
    } catch {
      return [];
    }
  });
}
