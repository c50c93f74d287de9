import { describe, expect, test } from "vitest";
import type { SignatureRecord, Sweep } from "../../../core/record.ts";
import { STATUSES } from "../../../core/status.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleCallback, sampleChild, sampleItems, sampleSwarm } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

async function window(scene: Scene, what: Sweep, limit = 1_000, id: string = scene.id): Promise<string[]> {
  const records = await scene.ask((tx) => tx.window({ id, what, limit }));
  return records.map((record) => record.id.slice(scene.id.length));
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
        expect(await window(scene, "start")).toEqual(
          [11, 2, 4, 0, 3, 5, 6, 7, 8, 9, 10, 1].map((slot) => `.${slot}`),
        );
      }),
    );

    test(
      "no more than the limit, those first whose turn it is",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, ...sampleItems(swarm, 20));
        expect(await window(scene, "start", 3)).toEqual([".0", ".1", ".2"]);
      }),
    );

    test(
      "leaves what is held",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, sampleChild(swarm, 0, { heldBy: swarm.id }), sampleChild(swarm, 1));
        expect(await window(scene, "start")).toEqual([".1"]);
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
        expect(await window(scene, "start")).toEqual([".0"]);
        expect(await window(scene, "start", 9, inner.id)).toEqual([".0.0"]);
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
        expect(await window(scene, "start")).toEqual([]);
        expect(await window(scene, "skip")).toEqual([]);
        expect(await window(scene, "unhold")).toEqual([]);
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
        expect(new Set(await window(scene, "skip"))).toEqual(new Set(slots));
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
        expect(await window(scene, "skip")).toEqual([".4"]);
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
        expect(new Set(await window(scene, "skip"))).toEqual(new Set([".2", ".3", ".4"]));
      }),
    );

    test(
      "gives what is held too",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, sampleChild(swarm, 0, { heldBy: swarm.id }));
        expect(await window(scene, "skip")).toEqual([".0"]);
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
        expect(await window(scene, "skip")).toEqual([]);
      }),
    );

    test(
      "no more than the limit",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, ...sampleItems(swarm, 20));
        expect(await window(scene, "skip", 7)).toHaveLength(7);
      }),
    );
  });

  describe("window to hasten", () => {
    test(
      "gives what runs inside at any depth and has longer to stop, cleanups left out",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const verb = "interrupt";
        const stop = { verb, actor: "a", reason: null, by: scene.id, own: false, clean: true } as const;
        const stopping = (until: number): Partial<SignatureRecord> => ({
          status: "RUNNING",
          workerId: "w",
          stop: { ...stop, until, resumes: false, done: false },
        });
        const inner = sampleChild(swarm, 0, { kind: "chain", status: "RUNNING" });
        const other = sampleSwarm(`${scene.id}other`);
        await scene.insert(
          swarm,
          inner,
          other,
          sampleChild(inner, 0, stopping(101)),
          sampleChild(swarm, 1, stopping(100)),
          sampleChild(swarm, 2, { status: "RUNNING", workerId: "w" }),
          sampleChild(swarm, 3, { ...stopping(200), status: "INTERRUPTED", workerId: null }),
          sampleChild(swarm, 4, stopping(200)),
          sampleCallback(inner, "success", 0, stopping(200)),
          sampleCallback(inner, "cleanup", 0, stopping(200)),
          sampleChild(other, 0, stopping(200)),
        );
        const found = (until: number, limit = 9): Promise<SignatureRecord[]> =>
          scene.ask((tx) => tx.window({ id: scene.id, what: "hasten", until, limit }));
        const ids = (await found(100)).map(({ id }) => id.slice(scene.id.length));
        expect(ids.toSorted()).toEqual([".0.0", ".0.success0", ".4"]);
        expect(await found(100, 2)).toHaveLength(2);
        expect(await found(200)).toEqual([]);
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
        expect(await window(scene, "unhold")).toEqual([".1.0", ".1.success0", ".10", ".9"]);
        expect(await window(scene, "unhold", 2)).toEqual([".1.0", ".1.success0"]);
        expect(await window(scene, "unhold", 9, inner.id)).toEqual([".1.1"]);
      }),
    );

    test(
      "leaves what was released",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const item = sampleChild(swarm, 0, { heldBy: swarm.id });
        await scene.insert(swarm, item);
        await scene.update({ ...item, heldBy: null });
        expect(await window(scene, "unhold")).toEqual([]);
        expect(await window(scene, "start")).toEqual([".0"]);
      }),
    );
  });
}
