import { describe, expect, test } from "vitest";
import type { SignatureRecord, Stop, Sweep } from "../../../core/record.ts";
import { isEnded, type Status, STATUSES } from "../../../core/status.ts";
import { belongs } from "../../../core/sweep.ts";
import type { StoreHarness } from "../harness.ts";
import {
  FAR_AHEAD,
  LONG_AGO,
  sampleCallback,
  sampleChild,
  sampleItems,
  sampleSwarm,
} from "../sample-record.ts";
import { sampleStop } from "../sample-stop.ts";
import { onStore } from "../scene.ts";
import { windowIds } from "../window-ids.ts";

const SWEEPS = [
  "start",
  "skip",
  "unhold",
  "clean",
  "interrupt",
  "cancel",
  "hasten",
  "reset",
] as const satisfies Sweep[];

/** Whatever a child of a container may be like, as far as a sweep looks at it. */
function everyMake(parentId: string): Partial<SignatureRecord>[] {
  const flags = [true, false];
  const stops = (["interrupt", "cancel"] as const).flatMap((verb) =>
    [null, parentId, `${parentId}other`].flatMap((by) =>
      [LONG_AGO, FAR_AHEAD].flatMap((until) =>
        flags.flatMap((done) => flags.map((resumes) => sampleStop({ verb, by, until, done, resumes }))),
      ),
    ),
  );
  return STATUSES.flatMap((status) =>
    [...(status === "INTERRUPTED" ? [] : [null]), ...stops].flatMap((stop) =>
      makesOf(status, parentId, stop),
    ),
  );
}

function makesOf(status: Status, parentId: string, stop: Stop | null): Partial<SignatureRecord>[] {
  if (isEnded(status)) {
    const milestones = [
      [1, 0],
      [1, 1],
      [2, 1],
      [3, 0],
      [3, 3],
    ] as const;
    return milestones.map(([milestone, credited]) => ({ status, stop, milestone, credited }));
  }
  const holders = status === "PENDING" || status === "INTERRUPTED" ? [null, parentId] : [null];
  const priors = status === "SUSPENDED" ? (["PENDING", "RUNNING"] as const) : [null];
  const workers = status === "RUNNING" ? [null, "w"] : [null];
  const readyAt = status === "READY" ? 1 : null;
  return [0, 1].flatMap((attempt) =>
    holders.flatMap((heldBy) =>
      priors.flatMap((prior) =>
        workers.map((workerId) => ({ status, stop, attempt, heldBy, prior, workerId, readyAt })),
      ),
    ),
  );
}

/** More than there should be: a store that repeats a page fails instead of going on for ever. */
const WINDOWS = 20;

export function windowCases(harness: StoreHarness): void {
  describe("window to start", () => {
    test(
      "gives pending children only, whole",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const items = STATUSES.map((status, slot) => sampleChild(swarm, slot, { status, readyAt: 1 }));
        await scene.insert(swarm, ...items);
        const found = await scene.ask((tx) => tx.window({ id: swarm.id, what: "start", limit: 99 }));
        expect(found).toEqual(items.filter(({ status }) => status === "PENDING"));
      }),
    );

    test(
      "higher priority first, then by slot as a number",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const priorities = [0, -1, 5, 0, 5, 0, 0, 0, 0, 0, 0, 7];
        await scene.insert(
          swarm,
          ...priorities.map((priority, slot) => sampleChild(swarm, slot, { priority })),
        );
        expect(await windowIds(scene, "start")).toEqual(
          [11, 2, 4, 0, 3, 5, 6, 7, 8, 9, 10, 1].map((slot) => `.${slot}`),
        );
      }),
    );

    test(
      "no more than the limit, those first whose turn it is",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, ...sampleItems(swarm, 20));
        expect(await windowIds(scene, "start", 3)).toEqual([".0", ".1", ".2"]);
      }),
    );

    test(
      "begins anew with what has become startable before what was started last, and with what has a higher priority now",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const items = sampleItems(swarm, 20);
        await scene.insert(swarm, ...items);
        const started = (): Promise<string[]> =>
          scene.ask(async (tx) => {
            await tx.lock([swarm.id], { wait: true });
            const next = await tx.window({ id: swarm.id, what: "start", limit: 3 });
            await tx.write({
              update: next.map((item) => ({ ...item, status: "READY", readyAt: LONG_AGO })),
            });
            return next.map(({ slot }) => String(slot));
          });
        expect(await started()).toEqual(["0", "1", "2"]);
        expect(await started()).toEqual(["3", "4", "5"]);
        await scene.update(items[1]!);
        expect(await started()).toEqual(["1", "6", "7"]);
        await scene.update({ ...items[19]!, priority: 1 });
        expect(await started()).toEqual(["19", "8", "9"]);
        expect(await started()).toEqual(["10", "11", "12"]);
        await scene.update(items[0]!, items[2]!, items[11]!);
        expect(await started()).toEqual(["0", "2", "11"]);
        expect(await started()).toEqual(["13", "14", "15"]);
        expect(await started()).toEqual(["16", "17", "18"]);
        await scene.update(items[5]!);
        expect(await started()).toEqual(["5"]);
        expect(await started()).toEqual([]);
      }),
    );

    test(
      "begins anew with what has become startable beside the transaction that started the last one",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          const running = sampleChild(swarm, 0, { status: "RUNNING", workerId: "w" });
          const before = sampleChild(swarm, 1);
          const items = sampleItems(swarm, 9).slice(2);
          await scene.insert(swarm, running, { ...before, status: "SUSPENDED", prior: "PENDING" }, ...items);
          const started = (meanwhile: () => Promise<unknown>): Promise<number[]> =>
            scene.ask(async (tx) => {
              await tx.lock([running.id], { wait: true });
              await tx.lock([swarm.id], { wait: false });
              const next = await tx.window({ id: swarm.id, what: "start", limit: 1 });
              await meanwhile();
              await tx.write({
                update: next.map((item) => ({ ...item, status: "READY", readyAt: LONG_AGO })),
              });
              return next.map(({ slot }) => slot);
            });
          const nothing = async (): Promise<void> => {};
          expect(await started(nothing)).toEqual([2]);
          expect(await started(() => scene.update(before))).toEqual([3]);
          expect(await started(nothing)).toEqual([1]);
        },
        "rowLocks",
      ),
    );

    test(
      "leaves what is held",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, sampleChild(swarm, 0, { heldBy: swarm.id }), sampleChild(swarm, 1));
        expect(await windowIds(scene, "start")).toEqual([".1"]);
      }),
    );

    test(
      "leaves callbacks, what is deeper and what is another's",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const inner = sampleChild(swarm, 0, { kind: "chain" });
        const other = sampleSwarm(`${scene.id}other`);
        await scene.insert(
          swarm,
          inner,
          other,
          sampleChild(inner, 0),
          sampleChild(other, 0),
          sampleCallback(swarm, "cleanup", 0),
          sampleCallback(swarm, "success", 0),
        );
        expect(await windowIds(scene, "start")).toEqual([".0"]);
        expect(await windowIds(scene, "start", 9, inner.id)).toEqual([".0.0"]);
      }),
    );

    test(
      "window by window, every child comes once",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, ...sampleItems(swarm, 1_300));
        const met: number[] = [];
        const sizes: number[] = [];
        for (let n = 0; n < WINDOWS; n++) {
          const started = await scene.store.transact(async (tx) => {
            const found = await tx.window({ id: swarm.id, what: "start", limit: 500 });
            await tx.write({ update: found.map((item) => ({ ...item, status: "READY", readyAt: tx.now })) });
            return found;
          });
          if (started.length === 0) break;
          sizes.push(started.length);
          met.push(...started.map(({ slot }) => slot));
        }
        expect(sizes).toEqual([500, 500, 300]);
        expect(met).toEqual(Array.from({ length: 1_300 }, (_, slot) => slot));
      }),
    );

    test(
      "nothing of a container without children",
      onStore(harness, async (scene) => {
        await scene.insert(sampleSwarm(scene.id));
        expect(await windowIds(scene, "start")).toEqual([]);
        expect(await windowIds(scene, "skip")).toEqual([]);
        expect(await windowIds(scene, "unhold")).toEqual([]);
      }),
    );
  });

  describe("window to skip", () => {
    test(
      "gives children that never ran",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(
          swarm,
          ...STATUSES.map((status, slot) => sampleChild(swarm, slot, { status, readyAt: 1 })),
        );
        const open = ["PENDING", "READY", "WAITING", "SUSPENDED", "INTERRUPTED"];
        const slots = STATUSES.flatMap((status, slot) => (open.includes(status) ? [`.${slot}`] : []));
        expect(new Set(await windowIds(scene, "skip"))).toEqual(new Set(slots));
      }),
    );

    test(
      "leaves what has made an attempt",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(
          swarm,
          sampleChild(swarm, 0, { status: "READY", readyAt: 1, attempt: 1 }),
          sampleChild(swarm, 1, { status: "WAITING", dueAt: 1, attempt: 2 }),
          sampleChild(swarm, 2, { status: "PENDING", attempt: 1 }),
          sampleChild(swarm, 3, { status: "SUSPENDED", prior: "PENDING", attempt: 1 }),
          sampleChild(swarm, 4),
        );
        expect(await windowIds(scene, "skip")).toEqual([".4"]);
      }),
    );

    test(
      "gives interrupted ones that have stopped with all that they hold, or do not resume when they have",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const stops = [{ done: true, resumes: true }, { done: true }, {}, { resumes: true }].map(sampleStop);
        await scene.insert(
          swarm,
          ...stops.map((stop, slot) => sampleChild(swarm, slot, { status: "INTERRUPTED", attempt: 1, stop })),
        );
        expect(new Set(await windowIds(scene, "skip"))).toEqual(new Set([".0", ".1", ".2"]));
      }),
    );

    test(
      "leaves containers in which something runs",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const chain = (slot: number, other: Partial<SignatureRecord>): SignatureRecord =>
          sampleChild(swarm, slot, { kind: "chain", ...other });
        await scene.insert(
          swarm,
          chain(0, { status: "RUNNING" }),
          chain(1, { status: "SUSPENDED", prior: "RUNNING" }),
          chain(2, { status: "SUSPENDED", prior: "PENDING" }),
          chain(3, { status: "WAITING", dueAt: 1 }),
          chain(4, { status: "PENDING" }),
        );
        expect(new Set(await windowIds(scene, "skip"))).toEqual(new Set([".2", ".3", ".4"]));
      }),
    );

    test(
      "gives what is held too",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, sampleChild(swarm, 0, { heldBy: swarm.id }));
        expect(await windowIds(scene, "skip")).toEqual([".0"]);
      }),
    );

    test(
      "leaves callbacks, what is deeper and what is another's",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const inner = sampleChild(swarm, 0, { kind: "chain", status: "RUNNING" });
        const other = sampleSwarm(`${scene.id}other`);
        await scene.insert(
          swarm,
          inner,
          other,
          sampleChild(inner, 0),
          sampleChild(other, 0),
          sampleCallback(swarm, "cleanup", 0),
        );
        expect(await windowIds(scene, "skip")).toEqual([]);
      }),
    );

    test(
      "no more than the limit",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, ...sampleItems(swarm, 20));
        expect(await windowIds(scene, "skip", 7)).toHaveLength(7);
      }),
    );
  });

  describe("window to unhold", () => {
    test(
      "gives what this signature holds, at any depth, by id",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const heldBy = swarm.id;
        const inner = sampleChild(swarm, 1, { kind: "chain" });
        await scene.insert(
          swarm,
          inner,
          sampleChild(swarm, 10, { heldBy }),
          sampleChild(swarm, 9, { heldBy }),
          sampleChild(inner, 0, { heldBy }),
          sampleCallback(inner, "success", 0, { heldBy }),
          sampleChild(inner, 1, { heldBy: inner.id }),
          sampleChild(swarm, 2),
        );
        expect(await windowIds(scene, "unhold")).toEqual([".1.0", ".1.success0", ".10", ".9"]);
        expect(await windowIds(scene, "unhold", 2)).toEqual([".1.0", ".1.success0"]);
        expect(await windowIds(scene, "unhold", 9, inner.id)).toEqual([".1.1"]);
      }),
    );

    test(
      "gives what is interrupted too",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const held = { status: "INTERRUPTED", heldBy: swarm.id, stop: sampleStop({ done: true }) } as const;
        await scene.insert(
          swarm,
          sampleChild(swarm, 0, held),
          sampleChild(swarm, 1, { ...held, heldBy: null }),
        );
        expect(await windowIds(scene, "unhold")).toEqual([".0"]);
        expect(await windowIds(scene, "start")).toEqual([]);
      }),
    );

    test(
      "leaves what was released",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const item = sampleChild(swarm, 0, { heldBy: swarm.id });
        await scene.insert(swarm, item);
        await scene.update({ ...item, heldBy: null });
        expect(await windowIds(scene, "unhold")).toEqual([]);
        expect(await windowIds(scene, "start")).toEqual([".0"]);
      }),
    );
  });

  describe("window to reset", () => {
    test(
      "gives children that have ended, however far they have come",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const stop = sampleStop({ done: true });
        const items = STATUSES.map((status, slot) => sampleChild(swarm, slot, { status, readyAt: 1, stop }));
        const settled = sampleChild(swarm, 20, { status: "SUCCEEDED", milestone: 3, credited: 3 });
        await scene.insert(swarm, ...items, settled);
        const ended = [...items, settled].filter(({ status }) => isEnded(status));
        const found = await scene.ask((tx) => tx.window({ id: swarm.id, what: "reset", limit: 99 }));
        expect(found.toSorted((a, b) => a.slot - b.slot)).toEqual(ended);
      }),
    );
  });

  describe("window of any sweep", () => {
    test(
      "gives what belongs to it among records of every make, and nothing else",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const others = [sampleSwarm(`${scene.id}-`), sampleChild(swarm, 9_999, { kind: "swarm" })];
        const makes = everyMake(swarm.id);
        const records = [
          swarm,
          ...others,
          ...makes.map((other, slot) => sampleChild(swarm, slot, other)),
          ...makes.map((other, slot) => sampleCallback(swarm, "success", slot, other)),
          ...makes.map((other, slot) => sampleCallback(others[1]!, "cleanup", slot, other)),
          ...others.flatMap((parent) => makes.map((other, slot) => sampleChild(parent, slot, other))),
        ];
        await scene.insert(...records);
        for (const what of SWEEPS) {
          const query = { id: swarm.id, what, until: LONG_AGO };
          const found = await scene.ask((tx) => tx.window({ ...query, limit: records.length }));
          const ids = found.map(({ id }) => id).toSorted();
          const belonging = records.filter((record) => belongs(record, query)).map(({ id }) => id);
          expect({ what, ids }).toEqual({ what, ids: belonging.toSorted() });
          expect(belonging.length).toBeGreaterThan(3);
          const some = await scene.ask((tx) => tx.window({ ...query, limit: belonging.length - 1 }));
          expect(new Set(some.map(({ id }) => id))).toHaveProperty("size", belonging.length - 1);
        }
      }),
    );

    test.for(SWEEPS)("to %s, nothing of what does not exist", (what, context) =>
      onStore(harness, async (scene) => {
        const found = scene.ask((tx) => tx.window({ id: scene.id, what, until: 0, limit: 9 }));
        expect(await found).toEqual([]);
      })(context),
    );
  });
}
