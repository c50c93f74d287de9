import { describe, expect, test } from "vitest";
import type { SignatureRecord } from "../../../core/record.ts";
import { STATUSES } from "../../../core/status.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleCallback, sampleChild, sampleSwarm, sampleTask } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

async function awaited(scene: Scene, id: string): Promise<SignatureRecord[]> {
  const outside = (await scene.store.awaited([id])).get(id) ?? [];
  const inside = await scene.ask(async (tx) => (await tx.awaited([id])).get(id) ?? []);
  expect(inside.toSorted(byId)).toEqual(outside.toSorted(byId));
  return outside.toSorted(byId);
}

function byId(a: SignatureRecord, b: SignatureRecord): number {
  return a.id < b.id ? -1 : 1;
}

export function awaitedCases(harness: StoreHarness): void {
  describe("awaited", () => {
    test(
      "the first child in each status that is no end, whole",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const twice = [...STATUSES, ...STATUSES].map((status, slot) =>
          sampleChild(swarm, slot, {
            status,
            readyAt: 1,
            workerId: status === "RUNNING" ? `${scene.id}w` : null,
          }),
        );
        await scene.insert(swarm, ...twice);
        const open = ["PENDING", "READY", "RUNNING", "WAITING", "SUSPENDED", "INTERRUPTED"];
        const first = twice.slice(0, STATUSES.length).filter(({ status }) => open.includes(status));
        expect(await awaited(scene, swarm.id)).toEqual(first.toSorted(byId));
      }),
    );

    test(
      "of pending children the first by slot that is held, and the first that is not, whatever their priority",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const held = { heldBy: scene.id, readyAt: 1 };
        const items = [{}, { priority: 9 }, held, { ...held, priority: 9 }].map((other, slot) =>
          sampleChild(swarm, slot + 1, other),
        );
        await scene.insert(swarm, ...items);
        expect(await awaited(scene, swarm.id)).toEqual([items[0], items[2]]);
      }),
    );

    test(
      "of suspended children the first by slot that was told to start, and the first that was not",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const items = [null, null, 1, 1].map((readyAt, slot) =>
          sampleChild(swarm, slot, { status: "SUSPENDED", prior: "PENDING", readyAt }),
        );
        await scene.insert(swarm, ...items);
        expect(await awaited(scene, swarm.id)).toEqual([items[0], items[2]]);
      }),
    );

    test(
      "every callback that has not ended",
      onStore(harness, async (scene) => {
        const owner = sampleTask(scene.id, { status: "SUCCEEDED", milestone: 1, credited: 1 });
        const open = [
          sampleCallback(owner, "cleanup", 0),
          sampleCallback(owner, "cleanup", 1),
          sampleCallback(owner, "success", 0, { status: "READY", readyAt: 1 }),
        ];
        const ended = sampleCallback(owner, "success", 1, { status: "FAILED", milestone: 3, credited: 3 });
        await scene.insert(owner, ...open, ended);
        expect(await awaited(scene, owner.id)).toEqual(open);
      }),
    );

    test(
      "one that the parent owes credit",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const behind = [0, 1].map((slot) =>
          sampleChild(swarm, slot, { status: "FAILED", milestone: 3, credited: 0 }),
        );
        await scene.insert(swarm, ...behind);
        const found = await awaited(scene, swarm.id);
        expect(found).toHaveLength(1);
        expect(behind).toContainEqual(found[0]);
      }),
    );

    test(
      "one that is unsettled below, how deep ever, and nothing beside it",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(`${scene.id}1`);
        const child = sampleChild(swarm, 1, { status: "SUCCEEDED", milestone: 3, credited: 3 });
        const deep = sampleCallback(child, "success", 0, { status: "FAILED", milestone: 1, credited: 1 });
        await scene.insert(swarm, child, deep, sampleSwarm(`${scene.id}10`), sampleSwarm(`${scene.id}1-`));
        expect(await awaited(scene, swarm.id)).toEqual([deep]);
        expect(await awaited(scene, deep.id)).toEqual([]);
        expect(await awaited(scene, `${scene.id}10`)).toEqual([]);
      }),
    );

    test(
      "each of those that are asked for",
      onStore(harness, async (scene) => {
        const [a, b, c] = ["a", "b", "c"].map((name) => sampleSwarm(`${scene.id}${name}`)) as [
          SignatureRecord,
          SignatureRecord,
          SignatureRecord,
        ];
        await scene.insert(a, b, c, sampleChild(a, 0), sampleChild(b, 0));
        const found = await scene.store.awaited([a.id, b.id, c.id, `${scene.id}none`]);
        expect(found).toEqual(
          new Map([
            [a.id, [sampleChild(a, 0)]],
            [b.id, [sampleChild(b, 0)]],
          ]),
        );
      }),
    );

    test(
      "each record once",
      onStore(harness, async (scene) => {
        const owner = sampleTask(scene.id, { status: "SUCCEEDED", milestone: 1, credited: 1 });
        const swarm = sampleCallback(owner, "success", 0, { kind: "swarm", status: "RUNNING", readyAt: 1 });
        await scene.insert(owner, swarm);
        expect(await awaited(scene, owner.id)).toEqual([swarm]);
      }),
    );
  });
}
