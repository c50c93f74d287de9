import { describe, expect, test } from "vitest";
import type { StoreHarness } from "../harness.ts";
import { sampleItems, sampleSwarm, sampleTask } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

async function holders(scene: Scene, after: string | null = null, limit = 1_000): Promise<string[]> {
  const ids = await scene.store.holders({ after: after ?? scene.id, limit });
  return scene.own(ids).map((id) => id.slice(scene.id.length));
}

export function holdersCases(harness: StoreHarness): void {
  describe("holders", () => {
    test(
      "what holds something, each once, known or not, in the order of ids",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(`${scene.id}b`, { status: "SUSPENDED", prior: "RUNNING" });
        await scene.insert(
          swarm,
          ...sampleItems(swarm, 40, { heldBy: swarm.id, readyAt: 1 }),
          sampleTask(`${scene.id}c`, { heldBy: `${scene.id}a`, readyAt: 1 }),
          sampleTask(`${scene.id}d`),
        );
        expect(await holders(scene)).toEqual(["a", "b"]);
      }),
    );

    test(
      "pages by position, which need not exist",
      onStore(harness, async (scene) => {
        const held = ["a", "b", "c", "d"].map((name) =>
          sampleTask(`${scene.id}${name} task`, { heldBy: `${scene.id}${name}`, readyAt: 1 }),
        );
        await scene.insert(...held);
        expect(await holders(scene, null, 2)).toEqual(["a", "b"]);
        expect(await holders(scene, `${scene.id}b`, 2)).toEqual(["c", "d"]);
        expect(await holders(scene, `${scene.id}bb`)).toEqual(["c", "d"]);
        expect(await holders(scene, `${scene.id}d`)).toEqual([]);
        expect(await scene.store.holders({ after: null, limit: 1 })).toHaveLength(1);
      }),
    );

    test(
      "follows changes",
      onStore(harness, async (scene) => {
        const task = sampleTask(scene.id, { heldBy: `${scene.id}a`, readyAt: 1 });
        await scene.insert(task);
        await scene.update({ ...task, status: "READY", heldBy: null });
        expect(await holders(scene)).toEqual([]);
      }),
    );
  });
}
