import { describe, expect, test } from "vitest";
import { type Deletion, type Lock, type SignatureRecord, MILESTONE } from "../core/record.ts";
import { MageFlow } from "../mageflow.ts";
import { chain, swarm } from "../core/plans.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";
import type { Breach } from "./verify.ts";
import { audit, copied, damage, open, scene, settledScene } from "./verify.test-support.ts";

describe("a store that was only used by MageFlow", () => {
  test("is sound when it is empty", async () => {
    const { store } = scene();
    await store.open();
    expect(await audit(store)).toEqual({ breaches: [], audited: { signatures: 0, workflows: 0, events: 0 } });
  });

  test("is sound after all kinds of outcomes, callbacks and cleanups", async () => {
    const { store } = await settledScene();
    const { breaches, audited } = await audit(store);
    expect(breaches).toEqual([]);
    expect(audited.workflows).toBe(1);
    expect(audited.signatures).toBeGreaterThan(25);
    expect(audited.events).toBeGreaterThan(audited.signatures);
  });

  test("is sound at every commit of a workflow", async () => {
    const { store, mage, mixed } = scene();
    await using worker = await mage.worker({ concurrency: 2 });
    const run = await mage.run(mixed);
    let over = false;
    const settled = run.settled().then(() => (over = true));
    const found: Breach[] = [];
    while (!over) found.push(...(await audit(store)).breaches);
    await settled;
    await worker.stop();
    expect(found).toEqual([]);
  });

  test("is sound when a task ends between two reads of the audit", async () => {
    const { store, mage, good } = scene();
    const run = await mage.run(good);
    const scan = store.scan.bind(store);
    let told = false;
    store.scan = async (query) => {
      const page = await scan(query);
      if (told) return page;
      told = true;
      await using worker = await mage.worker();
      await run.settled();
      await worker.stop();
      return page;
    };
    expect((await audit(store)).breaches).toEqual([]);
  });

  test("is sound while things wait: unstarted, delayed, suspended, ready, open", async () => {
    const { store, mage, good, mixed } = scene();
    await mage.create(mixed);
    await mage.run(good, undefined, { delay: "1h" });
    await mage.run(swarm([good], { open: true }));
    await mage.run(swarm(Array.from({ length: 700 }, () => good)));
    const held = await mage.run(chain([good, good]));
    await held.suspend();
    const item = await mage.run(swarm([good, good, good], { concurrency: 1 }));
    await (await mage.get(`${item.id}.1`)).suspend();
    await (await mage.get(`${item.id}.0`)).suspend();
    expect((await audit(store)).breaches).toEqual([]);
  });
});

describe("damage is found", () => {
  const DAMAGES: readonly {
    what: string;
    at: string;
    change: (record: SignatureRecord) => Partial<SignatureRecord>;
    says: [string, RegExp];
  }[] = [
    {
      what: "a counter that lost an item",
      at: ".0",
      change: ({ family }) => ({ family: { ...family!, succeeded: family!.succeeded - 1 } }),
      says: ["I5", /"succeeded" is 1, but a recount gives 2/],
    },
    {
      what: "an outcome that was taken back",
      at: ".1",
      change: () => ({
        status: "PENDING",
        finishedAt: null,
        result: null,
        milestone: MILESTONE.OPEN,
        credited: MILESTONE.OPEN,
      }),
      says: ["I1", /told to start, but is PENDING/],
    },
    {
      what: "an outcome that was changed",
      at: ".0.0",
      change: (record) => ({
        status: "FAILED",
        result: null,
        error: { name: "E", message: "", attempts: 1, path: [], code: record.id },
      }),
      says: ["I3", /itemSuccess callback, but its owner is FAILED/],
    },
    {
      what: "a result that is not JSON",
      at: ".1",
      change: () => ({ result: "{" }),
      says: ["RECORD", /result is not JSON/],
    },
    {
      what: "a lease of a worker that nobody knows",
      at: ".1",
      change: () => ({ status: "RUNNING", workerId: "w-none", result: null, finishedAt: null }),
      says: ["I1", /"w-none", which is no known session/],
    },
    {
      what: "a spec that is gone",
      at: ".1",
      change: () => ({ spec: "999" }),
      says: ["RECORD", /spec "999" is missing/],
    },
    {
      what: "a milestone that was not reached",
      at: "",
      change: () => ({ milestone: MILESTONE.ENDED, credited: MILESTONE.ENDED }),
      says: ["I1", /stands at 1/],
    },
    {
      what: "a parent credited ahead of its child",
      at: ".0",
      change: () => ({ milestone: MILESTONE.CLEANED }),
      says: ["I2", /credited with milestone 3/],
    },
    {
      what: "an epoch that was lost",
      at: ".1",
      change: () => ({ epoch: 0 }),
      says: ["I7", /attempt 1, but in/],
    },
    { what: "an attempt too many", at: ".1", change: () => ({ attempt: 99 }), says: ["I7", /attempt 99/] },
    {
      what: "a negative attempt",
      at: ".1",
      change: () => ({ attempt: -1 }),
      says: ["RECORD", /attempt is -1/],
    },
    {
      what: "recoveries that cannot be",
      at: ".1",
      change: () => ({ recoveries: -5 }),
      says: ["RECORD", /recoveries is -5/],
    },
    {
      what: "an instant that is none",
      at: ".1",
      change: () => ({ createdAt: "abc" as unknown as number }),
      says: ["RECORD", /createdAt is no instant: abc/],
    },
    {
      what: "a mark of deletion that says nothing",
      at: "",
      change: () => ({ deletion: {} as Deletion }),
      says: ["I10", /mark of deletion/],
    },
    {
      what: "a lock that says nothing",
      at: "",
      change: () => ({ lock: {} as Lock }),
      says: ["RECORD", /lock does not say/],
    },
    {
      what: "a step that ran after a failure",
      at: ".3",
      change: ({ createdAt }) => ({
        status: "SUCCEEDED",
        result: "1",
        readyAt: createdAt,
        startedAt: createdAt,
        attempt: 1,
      }),
      says: ["I6", /started while its chain stands at step 2/],
    },
  ];

  test.each(DAMAGES)("$what", async ({ at, change, says: [invariant, message] }) => {
    const { store, run } = await settledScene();
    await damage(store, `${run.id}${at}`, change);
    const { breaches } = await audit(store);
    expect(breaches).toContainEqual(
      expect.objectContaining({
        invariant,
        severity: "breach",
        rootId: run.id,
        message: expect.stringMatching(message),
      }),
    );
  });

  test("an end before the start is a warning, for clocks are set back", async () => {
    const { store, run } = await settledScene();
    await damage(store, `${run.id}.1`, () => ({ finishedAt: 1 }));
    const { breaches } = await audit(store);
    expect(breaches).toMatchObject([{ id: `${run.id}.1`, severity: "warning" }]);
  });

  test("callbacks and children that are missing, orphans, gaps in the journal", async () => {
    const { store, run } = await settledScene();
    const copy = memoryStore();
    await copy.open();
    const all = await store.scan({ after: null, limit: 500 });
    const gone = [`${run.id}.1.success0`, `${run.id}.0.2`];
    const kept = all.filter(({ id }) => !gone.includes(id));
    const specs = await store.specs(all.map(({ rootId, spec }) => ({ rootId, id: spec })));
    await copy.transact((tx) => tx.write({ insert: kept, specs }));
    const { breaches } = await audit(copy);
    const told = breaches.map(
      ({ id, invariant, message }) => `${id.slice(run.id.length)} ${invariant} ${message}`,
    );
    expect(told).toContainEqual(
      expect.stringContaining(".1 I3 it is SUCCEEDED and should have 1 success callbacks, but 0"),
    );
    expect(told).toContainEqual(expect.stringContaining(".0 I5 it should have 4 children, but has 3"));
    expect(told).toContainEqual(expect.stringMatching(/^\.0\.2\.0 RECORD it is an orphan/));
    expect(told).toContainEqual(expect.stringContaining(" I13 its journal is empty"));
  });

  test("a container that nothing moves on", async () => {
    const { store, mage, good } = scene();
    const swarmRun = await mage.run(swarm([good, good, good], { concurrency: 2 }));
    await damage(store, `${swarmRun.id}.0`, () => ({ status: "PENDING", readyAt: null }));
    await damage(store, swarmRun.id, ({ family }) => ({ family: { ...family!, active: 1 } }));
    const chainRun = await mage.run(chain([good, good]));
    await damage(store, `${chainRun.id}.0`, () => ({ status: "PENDING", readyAt: null }));
    const { breaches } = await audit(store);
    expect(breaches.map(({ id, message }) => [id, message])).toEqual([
      [swarmRun.id, "it has free slots (1 active) and 2 pending items, but starts none"],
      [chainRun.id, "its step 0 has its turn, but was never started"],
    ]);
  });

  test("a lease that lapsed is a warning until others should have taken it over", async () => {
    let now = 1_000_000;
    const store = memoryStore({ now: () => now });
    const mage = new MageFlow({ store });
    open.push(mage);
    const stuck = mage.task("stuck", async () => new Promise<never>(() => {}));
    const worker = await mage.worker({ grace: 0 });
    const run = await mage.run(stuck);
    for await (const event of run.events({ since: 0 })) if (event.type === "started") break;
    const session = (await store.workers(1))[0]!;
    const other = await copied(store, () => now);
    const at = async (later: number): Promise<string[]> => {
      now = session.leaseUntil + later;
      return (await audit(other)).breaches.map(({ severity, invariant }) => `${severity} ${invariant}`);
    };
    expect(await at(-1)).toEqual([]);
    expect(await at(10_000)).toEqual(["warning I1"]);
    expect(await at(60_000)).toEqual(["warning I1"]);
    await other.transact((tx) =>
      tx.write({ workers: [{ ...session, id: "w-live", leaseUntil: session.leaseUntil + 90_000 }] }),
    );
    expect(await at(60_000)).toEqual(["breach I1"]);
    now = 1_000_000;
    await worker.stop();
  });
});
