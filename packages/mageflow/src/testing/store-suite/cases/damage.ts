import { describe, expect, test } from "vitest";
import type { StoreHarness } from "../harness.ts";
import { sampleItems, sampleSwarm } from "../sample-record.ts";
import { onStore } from "../scene.ts";

export function damageCases(harness: StoreHarness): void {
  describe("damage", () => {
    test(
      "there is none in a store that was only used through the port",
      onStore(harness, async (scene) => {
        expect(await scene.damage()).toEqual([]);
        const swarm = sampleSwarm(scene.id);
        const items = sampleItems(swarm, 300);
        await scene.insert(swarm, ...items);
        await scene.update(...items.map((item) => ({ ...item, status: "READY" as const, readyAt: 1 })));
        expect(await scene.damage()).toEqual([]);
      }),
    );
  });
}
