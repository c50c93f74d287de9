import { describe, expect, test } from "vitest";
import type { Milestone, SignatureRecord, Stop } from "../../../core/record.ts";
import { isEnded, STATUSES } from "../../../core/status.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleCallback, sampleChild, sampleSwarm } from "../sample-record.ts";
import { sampleStop } from "../sample-stop.ts";
import { onStore } from "../scene.ts";
import { windowIds } from "../window-ids.ts";

/** Windows of the sweeps that stop what is inside a container. */
export function windowToStopCases(harness: StoreHarness): void {
  describe("window to interrupt", () => {
    test(
      "gives children that have begun",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(
          swarm,
          sampleChild(swarm, 0, { status: "RUNNING", workerId: "w" }),
          sampleChild(swarm, 1, { status: "RUNNING", kind: "chain" }),
          sampleChild(swarm, 2, { status: "READY", readyAt: 1, attempt: 1 }),
          sampleChild(swarm, 3, { status: "WAITING", dueAt: 1, attempt: 1 }),
          sampleChild(swarm, 4, { heldBy: swarm.id, attempt: 1 }),
          sampleChild(swarm, 5, { status: "SUSPENDED", prior: "RUNNING", kind: "chain" }),
          sampleChild(swarm, 6, { status: "SUSPENDED", prior: "PENDING", attempt: 1 }),
          sampleChild(swarm, 10, { status: "READY", readyAt: 1 }),
          sampleChild(swarm, 11, { status: "WAITING", dueAt: 1 }),
          sampleChild(swarm, 12, { heldBy: swarm.id }),
          sampleChild(swarm, 13),
          sampleChild(swarm, 14, { attempt: 1 }),
          sampleChild(swarm, 15, { status: "SUSPENDED", prior: "PENDING" }),
        );
        const slots = [".0", ".1", ".2", ".3", ".4", ".5", ".6"];
        expect(new Set(await windowIds(scene, "interrupt"))).toEqual(new Set(slots));
      }),
    );

    test(
      "gives those that are interrupted and have not stopped with all that they hold",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const interrupted = (slot: number, stop: Partial<Stop>): SignatureRecord =>
          sampleChild(swarm, slot, { status: "INTERRUPTED", stop: sampleStop(stop) });
        await scene.insert(
          swarm,
          interrupted(0, {}),
          interrupted(1, { by: `${scene.id}other` }),
          interrupted(2, { done: true }),
          interrupted(3, { by: swarm.id }),
        );
        expect(new Set(await windowIds(scene, "interrupt"))).toEqual(new Set([".0", ".1"]));
      }),
    );

    test(
      "leaves those that this signature has told to stop, in whatever way",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const running = { status: "RUNNING", workerId: "w" } as const;
        const by = swarm.id;
        await scene.insert(
          swarm,
          sampleChild(swarm, 0, { ...running, stop: sampleStop({ by }) }),
          sampleChild(swarm, 1, { ...running, stop: sampleStop({ by, verb: "cancel" }) }),
          sampleChild(swarm, 2, { ...running, stop: sampleStop({ by: `${by}other` }) }),
          sampleChild(swarm, 3, { ...running, stop: sampleStop() }),
          sampleChild(swarm, 4, { status: "READY", readyAt: 1, attempt: 1, stop: sampleStop({ by }) }),
        );
        expect(new Set(await windowIds(scene, "interrupt"))).toEqual(new Set([".2", ".3"]));
      }),
    );

    test(
      "gives those that have ended uncleaned and not credited",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const ended = (slot: number, milestone: Milestone, credited: Milestone): SignatureRecord =>
          sampleChild(swarm, slot, { status: "FAILED", milestone, credited });
        await scene.insert(swarm, ended(0, 1, 0), ended(1, 1, 1), ended(2, 2, 0), ended(3, 3, 0));
        expect(await windowIds(scene, "interrupt")).toEqual([".0"]);
      }),
    );
  });

  describe("window to cancel", () => {
    test(
      "gives children that have not ended, but for pending ones that nothing holds",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const open = STATUSES.filter((status) => status !== "PENDING" && !isEnded(status));
        await scene.insert(
          swarm,
          sampleChild(swarm, 0, { heldBy: swarm.id }),
          ...open.map((status, n) =>
            sampleChild(swarm, n + 1, {
              status,
              readyAt: 1,
              stop: status === "INTERRUPTED" ? sampleStop({ done: true }) : null,
            }),
          ),
          sampleChild(swarm, 20, { status: "RUNNING", workerId: "w" }),
          sampleChild(swarm, 21),
          sampleChild(swarm, 22, { attempt: 1 }),
        );
        const slots = [0, ...open.map((_, n) => n + 1), 20].map((slot) => `.${slot}`);
        expect(new Set(await windowIds(scene, "cancel"))).toEqual(new Set(slots));
      }),
    );

    test(
      "leaves those that this signature has told to cancel",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const by = swarm.id;
        const stops = [
          sampleStop({ by, verb: "cancel" }),
          sampleStop({ by }),
          sampleStop({ by: `${by}other`, verb: "cancel" }),
          sampleStop({ verb: "cancel" }),
        ];
        await scene.insert(
          swarm,
          ...stops.flatMap((stop, slot) => [
            sampleChild(swarm, slot, { status: "RUNNING", workerId: "w", stop }),
            sampleChild(swarm, slot + 10, { status: "INTERRUPTED", stop }),
          ]),
        );
        const slots = [1, 2, 3, 11, 12, 13].map((slot) => `.${slot}`);
        expect(new Set(await windowIds(scene, "cancel"))).toEqual(new Set(slots));
      }),
    );

    test(
      "gives those that have ended without an order to stop and are not settled",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const ended = (slot: number, milestone: Milestone, stop: Stop | null = null): SignatureRecord =>
          sampleChild(swarm, slot, { status: "SUCCEEDED", milestone, credited: milestone, stop });
        await scene.insert(swarm, ended(0, 1), ended(1, 2), ended(2, 3), ended(3, 1, sampleStop()));
        expect(new Set(await windowIds(scene, "cancel"))).toEqual(new Set([".0", ".1"]));
      }),
    );
  });

  describe("window to hasten", () => {
    test(
      "gives what runs inside at any depth and has longer to stop, cleanups left out",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const stopping = (until: number): Partial<SignatureRecord> => ({
          status: "RUNNING",
          workerId: "w",
          stop: sampleStop({ by: scene.id, until }),
        });
        const inner = sampleChild(swarm, 0, { kind: "chain", status: "RUNNING" });
        const cleanup = sampleCallback(inner, "cleanup", 0, {
          kind: "chain",
          ...stopping(200),
          workerId: null,
        });
        const other = sampleSwarm(`${scene.id}other`);
        await scene.insert(
          { ...swarm, stop: sampleStop({ until: 200 }) },
          inner,
          cleanup,
          other,
          sampleChild(inner, 0, stopping(101)),
          sampleChild(swarm, 1, stopping(100)),
          sampleChild(swarm, 2, { status: "RUNNING", workerId: "w" }),
          sampleChild(swarm, 3, { ...stopping(200), status: "INTERRUPTED", workerId: null }),
          sampleChild(swarm, 4, stopping(200)),
          sampleCallback(inner, "success", 0, stopping(200)),
          sampleCallback(inner, "itemCleanup", 0, stopping(200)),
          sampleChild(cleanup, 0, stopping(200)),
          sampleChild(other, 0, stopping(200)),
        );
        const found = (until: number, limit = 9, id: string = scene.id): Promise<SignatureRecord[]> =>
          scene.ask((tx) => tx.window({ id, what: "hasten", until, limit }));
        const ids = (await found(100)).map(({ id }) => id.slice(scene.id.length));
        expect(ids.toSorted()).toEqual([".0.0", ".0.success0", ".4"]);
        expect(await found(100, 2)).toHaveLength(2);
        expect(await found(200)).toEqual([]);
        // What stands in a cleanup is inside that cleanup.
        expect((await found(100, 9, cleanup.id)).map(({ id }) => id)).toEqual([`${cleanup.id}.0`]);
      }),
    );
  });

  describe("window to clean", () => {
    test(
      "gives cleanups among what this signature holds, and what is inside of cleanups, by id",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const heldBy = swarm.id;
        const inner = sampleChild(swarm, 1, { kind: "chain" });
        const cleanup = sampleCallback(inner, "cleanup", 0, { kind: "chain", heldBy });
        await scene.insert(
          swarm,
          inner,
          cleanup,
          sampleChild(cleanup, 3, { heldBy }),
          sampleCallback(inner, "cleanup", 1, { heldBy: inner.id }),
          sampleCallback(inner, "cleanup", 2),
          sampleCallback(swarm, "cleanup", 0, { heldBy }),
          sampleCallback(inner, "itemCleanup", 0, { heldBy }),
          sampleCallback(inner, "success", 0, { heldBy }),
          sampleChild(swarm, 2, { heldBy }),
        );
        const clean = [".1.cleanup0", ".1.cleanup0.3", ".1.itemCleanup0", ".cleanup0"];
        expect(await windowIds(scene, "clean")).toEqual(clean);
        expect(await windowIds(scene, "clean", 2)).toEqual(clean.slice(0, 2));
        expect(await windowIds(scene, "clean", 9, inner.id)).toEqual([".1.cleanup1"]);
      }),
    );

    test(
      "of what a cleanup holds only what is in cleanups inside of it",
      onStore(harness, async (scene) => {
        const owner = sampleSwarm(scene.id);
        const cleanup = sampleCallback(owner, "cleanup", 0, { kind: "chain" });
        const step = sampleChild(cleanup, 0, { heldBy: cleanup.id });
        await scene.insert(owner, cleanup, step, sampleCallback(step, "cleanup", 0, { heldBy: cleanup.id }));
        expect(await windowIds(scene, "clean", 9, cleanup.id)).toEqual([".cleanup0.0.cleanup0"]);
      }),
    );
  });
}
