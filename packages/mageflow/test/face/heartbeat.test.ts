import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker as Thread } from "node:worker_threads";
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
  const ended = new Promise<void>((resolve) => {
    process.once("worker", (thread: Thread) => thread.once("exit", () => resolve()));
  });
  const worker = await mage.worker();
  const run = await mage.run(task);
  await reached;
  await ended;
  letGo();
  expect(await run.result()).toBe(false);
  expect(await mage.workers()).toMatchObject([{ id: worker.id, endedAt: null }]);
  expect((await run.view()).recoveries).toBe(0);
});

test("closing lets go of the file, the thread included", async () => {
  const mage = new MageFlow({ store: join(folder, "face.db") });
  let [started, running] = [0, 0];
  const count = (thread: Thread): void => {
    started++;
    running++;
    thread.once("exit", () => running--);
  };
  process.on("worker", count);
  mage.task("task", () => 1);
  await mage.worker();
  await mage.close();
  process.off("worker", count);
  expect({ started, running }).toEqual({ started: 1, running: 0 });
});
