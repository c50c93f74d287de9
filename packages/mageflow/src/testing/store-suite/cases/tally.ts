import { describe, expect, test } from "vitest";
import { STATUSES } from "../../../core/status.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleCallback, sampleChild, sampleItems, sampleSwarm } from "../sample-record.ts";
import { onStore } from "../scene.ts";

export function tallyCases(harness: StoreHarness): void {
  describe("tally", () => {
    test(
      "counts the children of each status that is asked for",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const statuses = ["READY", "RUNNING", "RUNNING", "FAILED", "PENDING"] as const;
        await scene.insert(
          swarm,
          ...statuses.map((status, slot) => sampleChild(swarm, slot, { status, readyAt: 1 })),
        );
        const counts = await scene.store.tally(swarm.id, ["READY", "RUNNING", "WAITING"]);
        expect(counts.get("READY")).toBe(1);
        expect(counts.get("RUNNING")).toBe(2);
        expect(counts.get("WAITING") ?? 0).toBe(0);
        expect(counts.has("FAILED")).toBe(false);
      }),
    );

    test(
      "counts the same inside a transaction",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const held = sampleChild(swarm, 3, { heldBy: swarm.id, readyAt: 1 });
        await scene.insert(swarm, ...sampleItems(swarm, 3), held);
        const counts = await scene.ask((tx) => tx.tally(swarm.id, ["PENDING", "READY"]));
        expect(counts).toEqual(new Map([["PENDING", 4]]));
      }),
    );

    test(
      "counts no callbacks and nothing deeper",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const inner = sampleChild(swarm, 0, { kind: "swarm" });
        await scene.insert(swarm, inner, ...sampleItems(inner, 3), sampleCallback(swarm, "success", 0));
        expect((await scene.store.tally(swarm.id, STATUSES)).get("PENDING")).toBe(1);
      }),
    );

    test(
      "follows changes",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const items = sampleItems(swarm, 3);
        await scene.insert(swarm, ...items);
        await scene.update(...items.slice(0, 2).map((item) => ({ ...item, status: "RUNNING" as const })));
        const counts = await scene.store.tally(swarm.id, STATUSES);
        expect(counts.get("PENDING")).toBe(1);
        expect(counts.get("RUNNING")).toBe(2);
      }),
    );

    test(
      "nothing for no statuses, or of what does not exist",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, ...sampleItems(swarm, 1));
        expect(await scene.store.tally(swarm.id, [])).toEqual(new Map());
        expect((await scene.store.tally(`${scene.id}none`, STATUSES)).get("PENDING") ?? 0).toBe(0);
      }),
    );
  });
}
