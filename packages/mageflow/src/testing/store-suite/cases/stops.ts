import { describe, expect, test } from "vitest";
import type { SignatureRecord } from "../../../core/record.ts";
import { STATUSES } from "../../../core/status.ts";
import type { StoreHarness } from "../harness.ts";
import { FAR_AHEAD, LONG_AGO, sampleSwarm, sampleTask } from "../sample-record.ts";
import { sampleStop } from "../sample-stop.ts";
import { onStore, type Scene } from "../scene.ts";

function stopping(scene: Scene, name: string, until: number): SignatureRecord {
  const id = `${scene.id}${name}`;
  return sampleTask(id, { status: "RUNNING", workerId: `${scene.id}w`, stop: sampleStop({ until }) });
}

async function stops(scene: Scene, limit = 1_000): Promise<string[]> {
  const records = await scene.store.stops(limit);
  return scene.own(records).map(({ id }) => id.slice(scene.id.length));
}

export function stopsCases(harness: StoreHarness): void {
  describe("stops", () => {
    test(
      "gives what runs and was told to stop, tasks and containers, whole",
      onStore(harness, async (scene) => {
        const task = stopping(scene, "a", LONG_AGO);
        const swarm = sampleSwarm(`${scene.id}b`, { stop: sampleStop({ verb: "cancel" }) });
        await scene.insert(task, swarm, { ...task, id: `${scene.id}c`, stop: null });
        expect(scene.own(await scene.store.stops(1_000))).toEqual([task, swarm]);
      }),
    );

    test(
      "nothing in any other status",
      onStore(harness, async (scene) => {
        const stop = sampleStop();
        await scene.insert(
          ...STATUSES.map((status) => sampleTask(`${scene.id}${status}`, { status, stop, readyAt: 1 })),
        );
        expect(await stops(scene)).toEqual(["RUNNING"]);
      }),
    );

    test(
      "those first whose grace ends first, no more than the limit",
      onStore(harness, async (scene) => {
        const graces = { b: FAR_AHEAD, d: 100, a: 20, c: 9 };
        await scene.insert(...Object.entries(graces).map(([name, until]) => stopping(scene, name, until)));
        expect(await stops(scene)).toEqual(["c", "a", "d", "b"]);
        expect(await stops(scene, 3)).toEqual(["c", "a", "d"]);
      }),
    );

    test(
      "follows changes",
      onStore(harness, async (scene) => {
        const [a, b] = [stopping(scene, "a", 2), stopping(scene, "b", 1)];
        await scene.insert({ ...a, stop: null }, b);
        expect(await stops(scene)).toEqual(["b"]);
        await scene.update(a);
        expect(await stops(scene)).toEqual(["b", "a"]);
        await scene.update({ ...b, stop: sampleStop({ until: 3 }) });
        expect(await stops(scene)).toEqual(["a", "b"]);
        await scene.update({ ...a, status: "INTERRUPTED", workerId: null });
        expect(await stops(scene)).toEqual(["b"]);
      }),
    );
  });
}
