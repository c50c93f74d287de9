import { describe, expect, test } from "vitest";
import type { Milestone } from "../../../core/record.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleCallback, sampleChild, sampleSwarm } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

async function owing(scene: Scene, parentId: string, limit = 100): Promise<Set<string>> {
  const records = await scene.ask((tx) => tx.owing(parentId, limit));
  return new Set(records.map(({ id }) => id));
}

async function owed(scene: Scene): Promise<Set<string>> {
  return new Set(scene.own(await scene.ask((tx) => tx.owed(1_000))));
}

export function owingCases(harness: StoreHarness): void {
  describe("owing and owed", () => {
    test(
      "children whose milestone is beyond what was credited, whole",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const pairs = [0, 1, 2, 3].flatMap((milestone) =>
          [0, 1, 2, 3].map((credited) => ({ milestone, credited })),
        );
        const items = pairs
          .filter(({ milestone, credited }) => milestone >= credited)
          .map((pair, slot) =>
            sampleChild(swarm, slot, pair as { milestone: Milestone; credited: Milestone }),
          );
        await scene.insert(swarm, ...items);
        const behind = items.filter(({ milestone, credited }) => milestone > credited);
        const found = await scene.ask((tx) => tx.owing(swarm.id, 100));
        expect(found.toSorted((a, b) => a.slot - b.slot)).toEqual(behind);
        expect(await owed(scene)).toEqual(new Set([swarm.id]));
      }),
    );

    test(
      "callbacks count too, what is deeper or another's does not",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const behind = { milestone: 1, credited: 0 } as const;
        const inner = sampleChild(swarm, 0, { kind: "chain" });
        const callback = sampleCallback(swarm, "cleanup", 0, behind);
        const step = sampleChild(inner, 0, behind);
        await scene.insert(swarm, inner, callback, step);
        expect(await owing(scene, swarm.id)).toEqual(new Set([callback.id]));
        expect(await owing(scene, inner.id)).toEqual(new Set([step.id]));
        expect(await owed(scene)).toEqual(new Set([swarm.id, inner.id]));
      }),
    );

    test(
      "no more than the limit, each parent once",
      onStore(harness, async (scene) => {
        const behind = { milestone: 3, credited: 1 } as const;
        const swarms = ["a", "b", "c"].map((name) => sampleSwarm(`${scene.id}${name}`));
        await scene.insert(
          ...swarms,
          ...swarms.flatMap((swarm) => [0, 1, 2].map((slot) => sampleChild(swarm, slot, behind))),
        );
        expect(await owing(scene, swarms[0]!.id, 2)).toHaveProperty("size", 2);
        const all = await scene.ask((tx) => tx.owed(1_000));
        expect(all).toHaveLength(new Set(all).size);
        expect(await owed(scene)).toEqual(new Set(swarms.map(({ id }) => id)));
        expect(await scene.ask((tx) => tx.owed(2))).toHaveLength(2);
      }),
    );

    test(
      "nothing once all is credited",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const item = sampleChild(swarm, 0, { status: "SUCCEEDED", milestone: 3, credited: 1 });
        await scene.insert(swarm, item);
        await scene.update({ ...item, credited: 3 });
        expect(await owing(scene, swarm.id)).toEqual(new Set());
        expect(await owed(scene)).toEqual(new Set());
      }),
    );
  });

  describe("sweeping", () => {
    test(
      "signatures that have a sweep to go on with",
      onStore(harness, async (scene) => {
        const sweeps = ["start", "skip", "unhold"] as const;
        await scene.insert(
          sampleSwarm(scene.id),
          ...sweeps.map((sweep) => sampleSwarm(`${scene.id}${sweep}`, { sweep })),
        );
        const ids = scene.own(await scene.ask((tx) => tx.sweeping(1_000)));
        expect(new Set(ids)).toEqual(new Set(sweeps.map((sweep) => `${scene.id}${sweep}`)));
        expect(await scene.ask((tx) => tx.sweeping(2))).toHaveLength(2);
      }),
    );

    test(
      "follows changes",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm);
        await scene.update({ ...swarm, sweep: "skip", status: "FAILED" });
        expect(scene.own(await scene.ask((tx) => tx.sweeping(1_000)))).toEqual([swarm.id]);
        await scene.update({ ...swarm, sweep: null, status: "FAILED" });
        expect(scene.own(await scene.ask((tx) => tx.sweeping(1_000)))).toEqual([]);
      }),
    );
  });
}
