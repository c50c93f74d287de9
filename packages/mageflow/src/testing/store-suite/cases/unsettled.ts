import { describe, expect, test } from "vitest";
import { MILESTONE } from "../../../core/record.ts";
import { STATUSES } from "../../../core/status.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleChild, sampleSwarm, sampleTask } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

async function unsettled(scene: Scene, after: string | null = null, limit = 1_000): Promise<string[]> {
  // The exclamation mark comes before every character of an id.
  const records = await scene.store.unsettled({ after: after ?? `${scene.id}!`, limit });
  return scene.own(records).map(({ id }) => id.slice(scene.id.length));
}

export function unsettledCases(harness: StoreHarness): void {
  describe("unsettled", () => {
    test(
      "containers that run",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id, { status: "PENDING" });
        const inside = STATUSES.map((status, slot) =>
          sampleChild(swarm, slot, { kind: "chain", status, readyAt: 1 }),
        );
        const task = sampleChild(swarm, 20, { status: "RUNNING", workerId: `${scene.id}w`, readyAt: 1 });
        await scene.insert(swarm, ...inside, task);
        const running = inside.filter(({ status }) => status === "RUNNING");
        expect(await scene.store.unsettled({ after: swarm.id, limit: 1 })).toEqual(running);
        expect(await unsettled(scene)).toEqual([`.${running[0]!.slot}`]);
      }),
    );

    test(
      "what has ended and is not settled, tasks among them",
      onStore(harness, async (scene) => {
        const records = Object.entries(MILESTONE).map(([name, milestone]) =>
          sampleTask(`${scene.id}${name}`, { status: "FAILED", milestone, credited: milestone }),
        );
        await scene.insert(...records);
        expect(await unsettled(scene)).toEqual(["CLEANED", "ENDED"]);
      }),
    );

    test(
      "pages by position, which need not exist",
      onStore(harness, async (scene) => {
        await scene.insert(...["a", "b", "c", "d"].map((name) => sampleSwarm(`${scene.id}${name}`)));
        expect(await unsettled(scene, null, 2)).toEqual(["a", "b"]);
        expect(await unsettled(scene, `${scene.id}b`, 2)).toEqual(["c", "d"]);
        expect(await unsettled(scene, `${scene.id}bb`)).toEqual(["c", "d"]);
        expect(await scene.store.unsettled({ after: null, limit: 1 })).toHaveLength(1);
      }),
    );

    test(
      "follows changes",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(`${scene.id}a`, { status: "PENDING" });
        await scene.insert(swarm);
        expect(await unsettled(scene)).toEqual([]);
        await scene.update({ ...swarm, status: "RUNNING" });
        expect(await unsettled(scene)).toEqual(["a"]);
        await scene.update({ ...swarm, status: "SUCCEEDED", milestone: 1, credited: 1 });
        expect(await unsettled(scene)).toEqual(["a"]);
        await scene.update({ ...swarm, status: "SUCCEEDED", milestone: 3, credited: 3 });
        expect(await unsettled(scene)).toEqual([]);
      }),
    );
  });
}
