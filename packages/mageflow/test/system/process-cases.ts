import { MageFlow, swarm } from "mageflow";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readLedger } from "../../../../scripts/chaos/ledger.ts";
import { type Folder, folder, program } from "./program.ts";

/** A place on a server for one test, where there is nothing yet. */
export interface Place extends AsyncDisposable {
  readonly url: string;
}

/** What several processes do on one server, whatever its kind. */
export function processCases(make: () => Place | Promise<Place>): void {
  let place: Place;
  let files: Folder;
  beforeEach(async () => {
    place = await make();
    files = folder();
  });
  afterEach(async () => {
    files[Symbol.dispose]();
    await place[Symbol.asyncDispose]();
  });

  test("share a swarm: each item once, never more at once than it allows", async () => {
    await using mage = new MageFlow({ store: place.url });
    const item = mage.task("item", (_input: { ms: number }) => 0);
    await using stack = new AsyncDisposableStack();
    const workers = [1, 2, 3].map(() => stack.use(program("named-tasks", place.url, files.ledger, "item")));
    await Promise.all(workers.map((worker) => worker.says("ready")));

    const items = Array.from({ length: 600 }, (_, i) => item.with({ ms: i % 7 }));
    const run = await mage.run(swarm(items, { concurrency: 30 }));
    const result = await run.result({ timeout: "60s" });

    expect(result).toMatchObject({ total: 600, succeeded: 600 });
    await run.settled({ timeout: "60s" });
    const rows = readLedger(files.ledger);
    const atWork = new Set<string>();
    let most = 0;
    for (const { what, id } of rows) {
      if (what === "start") atWork.add(id!);
      else atWork.delete(id!);
      most = Math.max(most, atWork.size);
    }
    expect(most).toBeLessThanOrEqual(30);
    expect(rows.filter(({ what }) => what === "start")).toHaveLength(600);
    expect(new Set(rows.map(({ pid }) => pid)).size).toBeGreaterThan(1);
    expect(await breaches(mage)).toEqual([]);
  });

  test("take over what a killed one had", async () => {
    await using mage = new MageFlow({ store: place.url });
    const long = mage.task("long", () => null);
    const args = [place.url, files.ledger, "2s", "200ms"];
    await using first = program("long-task", ...args);
    await first.says("ready");
    const run = await mage.run(long);
    await first.says("entered 1");
    await using second = program("long-task", ...args);
    await second.says("ready");
    first.process.kill("SIGKILL");
    await second.says("entered 2");
    second.tell("finish");
    expect(await run.settled({ timeout: "20s" })).toMatchObject({
      status: "SUCCEEDED",
      result: { epoch: 2, step: 2 },
    });
    expect(await run.view()).toMatchObject({ attempt: 1, recoveries: 1 });
    expect(await breaches(mage)).toEqual([]);
  });

  test("keep their leases while a task blocks the event loop", async () => {
    await using mage = new MageFlow({ store: place.url });
    const block = mage.task("block", (_input: { ms: number }) => 0);
    await using worker = program("blocking", place.url, files.ledger);
    await worker.says("ready");
    const run = await mage.run(block, { ms: 3_000 });
    await run.result({ timeout: "20s" });
    expect(await run.view()).toMatchObject({ attempt: 1, recoveries: 0 });
    expect((await mage.workers()).map(({ endedAt }) => endedAt)).toEqual([null]);
  });

  test("give orders and carry them out side by side", async () => {
    await using mage = new MageFlow({ store: place.url });
    const item = mage.task("item", (_input: { ms: number }) => 0);
    await using stack = new AsyncDisposableStack();
    const workers = [1, 2].map(() => stack.use(program("named-tasks", place.url, files.ledger, "item")));
    await Promise.all(workers.map((worker) => worker.says("ready")));
    const items = Array.from({ length: 400 }, (_, i) => item.with({ ms: i % 5 }));
    const runs = await Promise.all(
      Array.from({ length: 6 }, () => mage.run(swarm(items, { concurrency: 40 }))),
    );
    await Promise.all(
      runs.map(async (run, n) => {
        for (let round = 0; round < 5; round++) {
          await (n % 2 === 0 ? run.suspend() : run.interrupt());
          await run.resume();
        }
      }),
    );
    for (const run of runs)
      expect(await run.result({ timeout: "60s" })).toMatchObject({ total: 400, succeeded: 400 });
    await Promise.all(runs.map((run) => run.settled({ timeout: "60s" })));
    expect(await breaches(mage)).toEqual([]);
  });
}

async function breaches(mage: MageFlow): Promise<unknown[]> {
  return Array.fromAsync(mage.verify());
}
