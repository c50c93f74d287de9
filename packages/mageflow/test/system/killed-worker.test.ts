import type { Duration, SignatureView } from "mageflow";
import { MageFlow } from "mageflow";
import { expect, test } from "vitest";
import { readLedger } from "../../../../scripts/chaos/ledger.ts";
import { folder, program } from "./program.ts";

const cases: [lease: Duration, heartbeat: Duration, within: number][] = [
  ["2s", "200ms", 4_000],
  // The default.
  ["15s", "5s", 17_000],
];

test.concurrent.for(cases)(
  "a task of a killed worker is recovered: lease %s",
  async ([lease, heartbeat, within]) => {
    using place = folder();
    await using mage = new MageFlow({ store: place.store });
    const note = mage.task("note", () => null);
    const long = mage
      .task("long", () => null)
      .onSuccess(note)
      .onError(note)
      .onCleanup(note);
    const args = [place.store, place.ledger, lease, heartbeat].map(String);
    await using first = program("long-task", ...args);
    await first.says("ready");
    const run = await mage.run(long);
    await first.says("entered 1");
    await using second = program("long-task", ...args);
    await second.says("ready");

    const killed = performance.now();
    first.process.kill("SIGKILL");
    await second.says("entered 2");
    const taken = performance.now() - killed;
    second.tell("finish");
    const settled = await run.settled({ timeout: "10s" });

    expect(taken).toBeLessThan(within);
    expect(settled).toMatchObject({ status: "SUCCEEDED", result: { epoch: 2, step: 2 } });
    expect(await run.view()).toMatchObject({ attempt: 1, recoveries: 1, generation: 1 });
    const callbacks = (await run.callbacks()).items.map(({ role, status, attempt }: SignatureView) => ({
      role,
      status,
      attempt,
    }));
    expect(callbacks).toEqual([
      { role: "cleanup", status: "SUCCEEDED", attempt: 1 },
      { role: "success", status: "SUCCEEDED", attempt: 1 },
    ]);
    const rows = readLedger(place.ledger);
    const starts = rows.filter(({ what }) => what === "start");
    expect(starts.map(({ epoch, attempt, pid }) => ({ epoch, attempt, pid }))).toEqual([
      { epoch: 1, attempt: 1, pid: first.pid },
      { epoch: 2, attempt: 1, pid: second.pid },
    ]);
    expect(new Set(starts.map(({ key }) => key)).size).toBe(1);
    // Each callback has run once.
    expect(rows.filter(({ cause }) => cause !== undefined)).toHaveLength(2);
  },
);
