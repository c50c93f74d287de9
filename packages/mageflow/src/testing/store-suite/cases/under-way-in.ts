import { describe, expect, test } from "vitest";
import { STATUSES } from "../../../core/status.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleCallback, sampleChild, sampleSwarm, sampleTask } from "../sample-record.ts";
import { sampleStop } from "../sample-stop.ts";
import { onStore, type Scene } from "../scene.ts";

async function underWay(scene: Scene, rootId: string = scene.id): Promise<Set<string>> {
  const records = await scene.ask((tx) => tx.underWayIn(rootId, 1_000));
  return new Set(records.map(({ id }) => id.slice(scene.id.length)));
}

export function underWayInCases(harness: StoreHarness): void {
  describe("underWayIn", () => {
    test(
      "gives tasks that run, whole",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const stop = sampleStop({ done: true });
        const tasks = STATUSES.map((status, slot) => sampleChild(swarm, slot, { status, stop, readyAt: 1 }));
        const taken = sampleChild(swarm, 20, { status: "RUNNING", workerId: `${scene.id}w` });
        await scene.insert(swarm, ...tasks, taken);
        const running = [...tasks, taken].filter(({ status }) => status === "RUNNING");
        const found = await scene.ask((tx) => tx.underWayIn(swarm.id, 1_000));
        expect(found.toSorted((a, b) => a.slot - b.slot)).toEqual(running);
      }),
    );

    test(
      "at any depth, callbacks too, and the root when it is a task, under a worker or not",
      onStore(harness, async (scene) => {
        const root = sampleTask(scene.id, { status: "RUNNING", workerId: `${scene.id}w` });
        const chain = sampleCallback(root, "success", 0, { kind: "chain", status: "RUNNING" });
        const deep = sampleChild(chain, 0, { status: "RUNNING" });
        await scene.insert(root, chain, deep, sampleChild(chain, 1));
        expect(await underWay(scene)).toEqual(new Set(["", ".success0.0"]));
      }),
    );

    test(
      "no containers that run",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, sampleChild(swarm, 0, { kind: "chain", status: "RUNNING" }));
        expect(await underWay(scene)).toEqual(new Set());
      }),
    );

    test(
      "gives what is interrupted inside and has not stopped with all that it holds",
      onStore(harness, async (scene) => {
        const interrupted = (done: boolean) =>
          ({ status: "INTERRUPTED", stop: sampleStop({ done }) }) as const;
        const swarm = sampleSwarm(scene.id, interrupted(false));
        const chain = sampleChild(swarm, 0, { kind: "chain", ...interrupted(false) });
        await scene.insert(
          swarm,
          chain,
          sampleChild(chain, 0, interrupted(true)),
          sampleChild(chain, 1, interrupted(false)),
          sampleChild(swarm, 1, interrupted(true)),
          sampleCallback(chain, "cleanup", 0, interrupted(false)),
          sampleChild(swarm, 2, { stop: sampleStop() }),
          sampleChild(swarm, 3, { status: "FAILED", stop: sampleStop() }),
        );
        expect(await underWay(scene)).toEqual(new Set([".0", ".0.1", ".0.cleanup0"]));
      }),
    );

    test(
      "nothing of workflows whose ids begin alike",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const others = ["1", "-", "x", "/"].map((name) => sampleSwarm(`${scene.id}${name}`));
        const interrupted = { status: "INTERRUPTED", stop: sampleStop() } as const;
        await scene.insert(
          swarm,
          ...others.flatMap((other) => [
            other,
            sampleChild(other, 0, { status: "RUNNING", workerId: `${scene.id}w` }),
            sampleChild(other, 1, { status: "RUNNING" }),
            sampleChild(other, 2, interrupted),
          ]),
        );
        expect(await underWay(scene)).toEqual(new Set());
        expect(await underWay(scene, others[1]!.id)).toEqual(new Set(["-.0", "-.1", "-.2"]));
      }),
    );

    test(
      "no more than the limit, of both",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const running = { status: "RUNNING", workerId: `${scene.id}w` } as const;
        const interrupted = { status: "INTERRUPTED", stop: sampleStop() } as const;
        await scene.insert(
          swarm,
          ...[0, 1].map((slot) => sampleChild(swarm, slot, running)),
          ...[2, 3].map((slot) => sampleChild(swarm, slot, interrupted)),
        );
        for (const limit of [1, 2, 3, 4])
          expect(await scene.ask((tx) => tx.underWayIn(swarm.id, limit))).toHaveLength(limit);
        expect(await underWay(scene)).toEqual(new Set([".0", ".1", ".2", ".3"]));
      }),
    );

    test(
      "follows changes",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const task = sampleChild(swarm, 0);
        await scene.insert(swarm, task);
        expect(await underWay(scene)).toEqual(new Set());
        await scene.update({ ...task, status: "RUNNING", workerId: `${scene.id}w` });
        expect(await underWay(scene)).toEqual(new Set([".0"]));
        await scene.update({ ...task, status: "INTERRUPTED", stop: sampleStop() });
        expect(await underWay(scene)).toEqual(new Set([".0"]));
        await scene.update({ ...task, status: "INTERRUPTED", stop: sampleStop({ done: true }) });
        expect(await underWay(scene)).toEqual(new Set());
      }),
    );
  });
}
