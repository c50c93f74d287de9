import { describe, expect, test } from "vitest";
import type { SignatureRecord } from "../../../core/record.ts";
import { STATUSES } from "../../../core/status.ts";
import type { StoreHarness } from "../harness.ts";
import { FAR_AHEAD, sampleSwarm, sampleTask } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

async function stalled(scene: Scene): Promise<string[]> {
  return scene.own(await scene.store.stalled(1_000)).map((id) => id.slice(scene.id.length));
}

export function stalledCases(harness: StoreHarness): void {
  describe("stalled", () => {
    test(
      "what waits for no time",
      onStore(harness, async (scene) => {
        const waiting = { status: "WAITING", readyAt: 1 } as const;
        await scene.insert(
          sampleTask(`${scene.id}never`, waiting),
          sampleTask(`${scene.id}ahead`, { ...waiting, dueAt: FAR_AHEAD }),
          sampleSwarm(`${scene.id}swarm`, waiting),
        );
        expect(await stalled(scene)).toEqual(["never", "swarm"]);
      }),
    );

    test(
      "a task that runs under no worker, where a container has none",
      onStore(harness, async (scene) => {
        const running = { status: "RUNNING", readyAt: 1 } as const;
        await scene.insert(
          sampleTask(`${scene.id}alone`, running),
          sampleTask(`${scene.id}led`, { ...running, workerId: `${scene.id}w` }),
          sampleSwarm(`${scene.id}swarm`, running),
        );
        expect(await stalled(scene)).toEqual(["alone"]);
      }),
    );

    test(
      "what was told to start, and neither did nor is held",
      onStore(harness, async (scene) => {
        const told = { status: "PENDING", readyAt: 1 } as const;
        await scene.insert(
          sampleTask(`${scene.id}told`, told),
          sampleTask(`${scene.id}held`, { ...told, heldBy: scene.id }),
          sampleTask(`${scene.id}untold`),
        );
        expect(await stalled(scene)).toEqual(["told"]);
      }),
    );

    test(
      "nothing in any other status",
      onStore(harness, async (scene) => {
        const other = { readyAt: 1, heldBy: null, workerId: null, dueAt: null };
        const records = STATUSES.map((status) => sampleTask(`${scene.id}${status}`, { ...other, status }));
        await scene.insert(...records);
        expect(await stalled(scene)).toEqual(["PENDING", "RUNNING", "WAITING"]);
      }),
    );

    test(
      "follows changes, no more than the limit",
      onStore(harness, async (scene) => {
        const tasks = [1, 2, 3].map((n) => sampleTask(`${scene.id}${n}`, { status: "WAITING" }));
        await scene.insert(...tasks);
        expect(await scene.store.stalled(2)).toHaveLength(2);
        const mended: SignatureRecord = { ...tasks[0]!, dueAt: FAR_AHEAD };
        await scene.update(mended);
        expect(await stalled(scene)).toEqual(["2", "3"]);
      }),
    );
  });
}
