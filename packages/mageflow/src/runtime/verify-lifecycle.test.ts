import { describe, expect, test } from "vitest";
import { chain, swarm } from "../core/plans.ts";
import { type SignatureRecord, MILESTONE } from "../core/record.ts";
import { MageFlow } from "../mageflow.ts";
import type { Store } from "../ports/store.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";
import type { Run } from "./run.ts";
import { audit, copied, damage, open, scene, settledScene } from "./verify.test-support.ts";

interface Stored {
  readonly store: Store;
  readonly run: Run;
}

/** A swarm that was stopped while a chain in it ran; its cleanup waits for a worker. */
async function interrupted(): Promise<Stored> {
  const { store, mage, good } = scene();
  const items = [chain([good, good]), good, good];
  const run = await mage.run(swarm(items).onCleanup(good));
  await (await mage.get(`${run.id}.1`)).interrupt();
  await run.interrupt();
  return { store, run };
}

/** A chain that was cancelled after its first step had succeeded; its cleanup waits for a worker, so that it is not removed. */
async function cancelled(): Promise<Stored> {
  const { store, mage, good } = scene();
  const late = mage.task("late", async () => null);
  const run = await mage.run(chain([good.onSuccess(late), late]).onCleanup(late));
  const other = new MageFlow({ store });
  open.push(other);
  other.task("good", async () => ({ ok: true }));
  await using worker = await other.worker();
  await (await mage.get(`${run.id}.0`)).result();
  await worker.stop();
  await (await run.planCancel()).confirm();
  return { store, run };
}

/** Begun again and reset, with nobody there to run it. */
async function begunAgain(): Promise<Stored> {
  const { store, run } = await settledScene();
  await run.rerun();
  return { store, run };
}

/** Marked for deletion before it has begun, and told to start all the same. */
async function marked(): Promise<Stored> {
  const { store, mage, good } = scene();
  const run = await mage.create(chain([good, good]));
  await run.delete({ after: "1h" });
  await run.start();
  return { store, run };
}

describe("a store in which things were stopped, marked, locked or begun again is sound", () => {
  test.each([
    ["interrupted", interrupted],
    ["cancelled", cancelled],
    ["begun again", begunAgain],
    ["marked", marked],
  ])("%s", async (_, make) => {
    const { store } = await make();
    expect((await audit(store)).breaches).toEqual([]);
  });

  test("told to stop, and still running", async () => {
    const { store, mage, good } = scene();
    const deaf = mage.task("deaf", () => new Promise<never>(() => {}));
    await using worker = await mage.worker({ grace: 0 });
    const run = await mage.run(swarm([deaf.onCleanup(good), good]));
    for await (const { id, type } of run.events({ since: 0 }))
      if (type === "started" && id === `${run.id}.0`) break;
    // It waits for a cleanup, which no worker runs any more.
    void run.interrupt({ grace: "1h" }).catch(() => {});
    for await (const { type } of run.events({ since: 0 })) if (type === "stopping") break;
    expect((await audit(store)).breaches).toEqual([]);
    await worker.stop();
    expect((await audit(store)).breaches).toEqual([]);
  });

  test("suspended after it was interrupted, resumed, held, locked", async () => {
    const { store, mage, good } = scene();
    const held = await mage.run(chain([chain([good, good]), good]));
    await held.interrupt();
    await held.resume();
    await held.suspend();
    const again = await mage.run(chain([chain([good, good]), good]));
    await again.interrupt();
    await again.resume();
    await using _lock = await (await mage.run(good)).lock();
    await (await mage.create(good)).lock();
    expect((await audit(store)).breaches).toEqual([]);
  });

  test("removed while it is looked at", async () => {
    const { store, run } = await settledScene();
    let told = false;
    const lastSeq = store.lastSeq.bind(store);
    store.lastSeq = async (rootId) => {
      const seq = await lastSeq(rootId);
      if (!told) await run.purgeNow();
      told = true;
      return seq;
    };
    expect((await audit(store)).breaches).toEqual([]);
  });
});

describe("damage to what was stopped, marked or begun again is found", () => {
  const DAMAGES: readonly {
    what: string;
    scene: () => Promise<Stored>;
    at: string;
    change: (record: SignatureRecord) => Partial<SignatureRecord>;
    says: [string, RegExp];
  }[] = [
    {
      what: "a container that waits for one too many to stop",
      scene: interrupted,
      at: "",
      change: ({ family }) => ({ family: { ...family!, halting: 1 } }),
      says: ["I5", /"halting" is 1, but a recount gives 0/],
    },
    {
      what: "an interrupted task that still has a worker",
      scene: interrupted,
      at: ".1",
      change: () => ({ workerId: "w-none" }),
      says: ["RECORD", /it is INTERRUPTED, but has a worker/],
    },
    {
      what: "an order that came from elsewhere",
      scene: interrupted,
      at: ".0",
      change: ({ stop }) => ({ stop: { ...stop!, by: "nobody" }, heldBy: "nobody" }),
      says: ["RECORD", /"nobody" told it to stop, which is not what it is in/],
    },
    {
      what: "an order that was lost",
      scene: interrupted,
      at: ".1",
      change: () => ({ stop: null }),
      says: ["RECORD", /it is INTERRUPTED, but nobody ordered it/],
    },
    {
      what: "an order that a status does not go with",
      scene: interrupted,
      at: ".2",
      change: ({ id }) => ({
        stop: {
          verb: "interrupt",
          actor: id,
          reason: null,
          by: null,
          own: true,
          until: 0,
          clean: true,
          resumes: false,
          done: true,
        },
      }),
      says: ["RECORD", /a task that is READY, but has an order to interrupt/],
    },
    {
      what: "something that would not go on along with its container",
      scene: interrupted,
      at: ".0",
      change: () => ({ heldBy: null }),
      says: ["RECORD", /stopped along with ".+", but is held by nothing/],
    },
    {
      what: "something that would go on although it was stopped by itself",
      scene: interrupted,
      at: ".1",
      change: ({ parentId }) => ({ heldBy: parentId }),
      says: ["RECORD", /stopped by itself, but is held by ".+"/],
    },
    {
      what: "something that holds and has let go",
      scene: interrupted,
      at: "",
      change: () => ({ status: "RUNNING", stop: null, finishedAt: null, sweep: null }),
      says: ["I1", /held by ".+", which is RUNNING and will not release it/],
    },
    {
      what: "an end that was not told",
      scene: interrupted,
      at: ".1",
      change: ({ stop }) => ({ stop: { ...stop!, done: false } }),
      says: ["I1", /everything of it has stopped, but it does not say so/],
    },
    {
      what: "an end that was told too early",
      scene: interrupted,
      at: "",
      change: ({ stop }) => ({ stop: { ...stop!, done: true } }),
      says: ["I9", /says that it has stopped, but something of it has not/],
    },
    {
      what: "a cleanup that counts as ended",
      scene: interrupted,
      at: "",
      change: ({ stop, family }) => ({
        stop: { ...stop!, done: true },
        family: { ...family!, cleanupsEnded: 1 },
      }),
      says: ["I5", /"cleanupsEnded" is 1, but a recount gives 0/],
    },
    {
      what: "something that runs in what has stopped",
      scene: interrupted,
      at: ".2",
      change: ({ createdAt }) => ({
        status: "RUNNING",
        workerId: "w-none",
        attempt: 1,
        startedAt: createdAt,
      }),
      says: ["I9", /it has stopped, but 1 of its children go on and were not told/],
    },
    {
      what: "a cleanup whose turn was forgotten",
      scene: interrupted,
      at: ".cleanup0",
      change: () => ({ status: "PENDING", readyAt: null }),
      says: ["I1", /it is this cleanup's turn, but it was never started/],
    },
    {
      what: "a cleanup that is held by what lets cleanups through",
      scene: interrupted,
      at: ".cleanup0",
      change: ({ parentId }) => ({ status: "PENDING", heldBy: parentId }),
      says: ["I1", /held by ".+", which is INTERRUPTED and will not release it/],
    },
    {
      what: "a sweep that a status does not go with",
      scene: interrupted,
      at: "",
      change: () => ({ sweep: "start" }),
      says: ["RECORD", /it is INTERRUPTED, but has a sweep "start"/],
    },
    {
      what: "a sweep that nobody knows",
      scene: interrupted,
      at: "",
      change: () => ({ sweep: "dust" as SignatureRecord["sweep"] }),
      says: ["RECORD", /it is INTERRUPTED, but has a sweep "dust"/],
    },
    {
      what: "a start that was told to what was stopped",
      scene: interrupted,
      at: ".1",
      change: ({ createdAt }) => ({ readyAt: createdAt }),
      says: ["RECORD", /it is INTERRUPTED, but has been told to start/],
    },
    {
      what: "a generation that goes on with one that has not been",
      scene: interrupted,
      at: "",
      change: () => ({ origin: 2 }),
      says: ["I2", /in generation 1, but goes on with generation 2/],
    },
    {
      what: "a swarm that is past failures that it does not have",
      scene: interrupted,
      at: "",
      change: ({ family }) => ({ family: { ...family!, stopping: true } }),
      says: ["I5", /it is past its failures with 0 of them and a limit of null/],
    },
    {
      what: "a success callback of what was cancelled",
      scene: cancelled,
      at: ".0.success0",
      change: ({ createdAt }) => ({ status: "READY", readyAt: createdAt, stop: null, finishedAt: null }),
      says: ["I9", /success callback of what was cancelled, but was not told to stop/],
    },
    {
      what: "something that has ended and was overlooked by a cancellation",
      scene: cancelled,
      at: ".0",
      change: () => ({ stop: null }),
      says: ["I9", /it has stopped, but 1 of its children go on and were not told/],
    },
    {
      what: "something that is cancelled in what is not",
      scene: cancelled,
      at: "",
      change: ({ stop }) => ({ status: "INTERRUPTED", stop: { ...stop!, verb: "interrupt" } }),
      says: ["I9", /it was cancelled, but what it is in was not/],
    },
    {
      what: "an answer that nobody waits for",
      scene: cancelled,
      at: ".1",
      change: ({ stop, parentId }) => ({
        status: "INTERRUPTED",
        stop: { ...stop!, verb: "interrupt", done: false },
        heldBy: parentId,
      }),
      says: ["I9", /it is to tell ".+" that it has stopped, which does not wait for that/],
    },
    {
      what: "something cancelled that counts as ended",
      scene: cancelled,
      at: ".1",
      change: () => ({ milestone: MILESTONE.SETTLED }),
      says: ["I2", /it is CANCELLED, but at milestone 3/],
    },
    {
      what: "a cancelled workflow that is to be removed before it has stopped",
      scene: cancelled,
      at: "",
      change: ({ createdAt: at, generation }) => ({
        deletion: {
          markedAt: at,
          purgeAt: at + 1e9,
          action: "cancel",
          by: "",
          reason: null,
          generation,
          stub: false,
          purged: false,
        },
      }),
      says: ["I10", /marked for removal as if it were cancelled and had stopped/],
    },
    {
      what: "a cancelled workflow that will never be removed",
      scene: cancelled,
      at: "",
      change: ({ stop, family }) => ({
        stop: { ...stop!, done: true },
        family: { ...family!, cleanupsEnded: 1 },
      }),
      says: ["I9", /it was cancelled and has stopped, but is not marked for removal/],
    },
    {
      what: "something that was reset by half",
      scene: begunAgain,
      at: ".2",
      change: () => ({ generation: 1 }),
      says: ["I2", /in generation 1, but goes on with generation 2/],
    },
    {
      what: "something that was not reset",
      scene: begunAgain,
      at: ".3",
      change: ({ createdAt }) => ({
        status: "SKIPPED",
        milestone: MILESTONE.SETTLED,
        credited: MILESTONE.SETTLED,
        finishedAt: createdAt,
      }),
      says: ["I5", /"unsettled" is 4, but a recount gives 3/],
    },
    {
      what: "something that began again in what did not",
      scene: begunAgain,
      at: "",
      change: () => ({ origin: 1 }),
      says: ["I2", /it began again, but its container did not/],
    },
    {
      what: "a callback of a life that has not been",
      scene: begunAgain,
      at: ".1.success0",
      change: () => ({ generation: 2, origin: 2 }),
      says: ["I2", /it is a callback, but began again/],
    },
    {
      what: "a callback of an earlier life that is still open",
      scene: begunAgain,
      at: ".1.success0",
      change: () => ({ milestone: MILESTONE.CLEANED }),
      says: ["I3", /its owner has gone on to generation 2, but it has not ended/],
    },
    {
      what: "a start time of what has not begun",
      scene: marked,
      at: "",
      change: ({ createdAt }) => ({ startedAt: createdAt }),
      says: ["RECORD", /it is PENDING in its first generation, but has a start time/],
    },
    {
      what: "a mark of a life that has not been",
      scene: marked,
      at: "",
      change: ({ deletion }) => ({ deletion: { ...deletion!, generation: 2 } }),
      says: ["I10", /it is marked in generation 2, but is in generation 1/],
    },
    {
      what: "a workflow that was removed and is there",
      scene: marked,
      at: "",
      change: ({ deletion }) => ({ deletion: { ...deletion!, purged: true } }),
      says: ["I10", /it was removed, but is still there/],
    },
    {
      what: "a mark that is gone without what it kept from starting",
      scene: marked,
      at: "",
      change: () => ({ deletion: null }),
      says: ["I1", /told to start, but is PENDING/],
    },
    {
      what: "a mark of what is inside a workflow",
      scene: marked,
      at: ".0",
      change: ({ createdAt: at }) => ({
        deletion: {
          markedAt: at,
          purgeAt: at + 1e9,
          action: "delete",
          by: "",
          reason: null,
          generation: 1,
          stub: false,
          purged: false,
        },
      }),
      says: ["RECORD", /inside a workflow, but is marked for deletion by itself/],
    },
  ];

  test.each(DAMAGES)("$what", async ({ scene: make, at, change, says: [invariant, message] }) => {
    const { store, run } = await make();
    await damage(store, `${run.id}${at}`, change);
    const { breaches } = await audit(store);
    expect(breaches).toContainEqual(
      expect.objectContaining({ invariant, severity: "breach", message: expect.stringMatching(message) }),
    );
  });

  test("callbacks of a generation that an owner was taken back from", async () => {
    const { store, mage, good } = scene();
    await using worker = await mage.worker();
    const run = await mage.run(good.onSuccess(good));
    await run.settled();
    await run.rerun();
    await run.settled();
    await worker.stop();
    expect((await audit(store)).breaches).toEqual([]);
    await damage(store, run.id, () => ({ generation: 1, origin: 1 }));
    expect((await audit(store)).breaches).toContainEqual(
      expect.objectContaining({
        id: `${run.id}.success0g2`,
        invariant: "I3",
        message: "it follows generation 2 of its owner, which is in generation 1",
      }),
    );
  });

  test("a grace that is over is a warning until somebody should have ended it", async () => {
    let now = 1_000_000;
    const store = memoryStore({ now: () => now });
    const mage = new MageFlow({ store });
    open.push(mage);
    const deaf = mage.task("deaf", () => new Promise<never>(() => {}));
    await using worker = await mage.worker({ grace: 0 });
    const run = await mage.run(deaf);
    for await (const { type } of run.events({ since: 0 })) if (type === "started") break;
    const stopped = run.interrupt({ grace: "5s" });
    for await (const { type } of run.events({ since: 0 })) if (type === "stopping") break;
    const copy = await copied(store, () => now);
    const [session] = await copy.workers(1);
    await copy.transact((tx) => tx.write({ workers: [{ ...session!, leaseUntil: now + 26_000 }] }));
    const found: string[] = [];
    for (const later of [4_999, 6_000, 25_999]) {
      now = 1_000_000 + later;
      for (const { severity, message } of (await audit(copy)).breaches) found.push(`${severity}: ${message}`);
    }
    expect(found).toEqual([
      "warning: its grace ended 1.0 s ago, but it is RUNNING; any live worker stops it",
      "breach: its grace ended 21.0 s ago, but it is RUNNING, and no live worker has stopped it",
    ]);
    now = 1_000_000;
    await worker.stop();
    await stopped;
  });
});
