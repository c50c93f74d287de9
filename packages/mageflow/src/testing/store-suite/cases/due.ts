import { describe, expect, test } from "vitest";
import type { SignatureRecord } from "../../../core/record.ts";
import { STATUSES } from "../../../core/status.ts";
import type { StoreHarness } from "../harness.ts";
import { FAR_AHEAD, LONG_AGO, sampleTask } from "../sample-record.ts";
import { sampleStop } from "../sample-stop.ts";
import { onStore, type Scene } from "../scene.ts";

async function due(scene: Scene, limit = 1_000): Promise<string[]> {
  const records = await scene.ask((tx) => tx.due(limit));
  return scene.own(records).map(({ id }) => id.slice(scene.id.length));
}

function task(scene: Scene, name: string, other: Partial<SignatureRecord>): SignatureRecord {
  return sampleTask(`${scene.id}${name}`, { status: "WAITING", ...other });
}

export function dueCases(harness: StoreHarness): void {
  describe("due", () => {
    test(
      "gives what waits and whose time has come, whole",
      onStore(harness, async (scene) => {
        const past = task(scene, "past", { dueAt: LONG_AGO });
        await scene.insert(past, task(scene, "ahead", { dueAt: FAR_AHEAD }), task(scene, "never", {}));
        expect(scene.own(await scene.ask((tx) => tx.due(1_000)))).toEqual([past]);
      }),
    );

    test(
      "of what has a time only what waits for it",
      onStore(harness, async (scene) => {
        await scene.insert(
          ...STATUSES.map((status) => task(scene, status, { status, dueAt: LONG_AGO, readyAt: 1 })),
        );
        expect(await due(scene)).toEqual(["WAITING"]);
      }),
    );

    test(
      "gives tasks past their deadline that no worker has",
      onStore(harness, async (scene) => {
        await scene.insert(
          ...STATUSES.map((status) => task(scene, status, { status, deadlineAt: LONG_AGO, readyAt: 1 })),
        );
        expect(new Set(await due(scene))).toEqual(new Set(["WAITING", "READY"]));
      }),
    );

    test(
      "a deadline comes before the time that is waited for",
      onStore(harness, async (scene) => {
        await scene.insert(
          task(scene, "late", { dueAt: FAR_AHEAD, deadlineAt: LONG_AGO }),
          task(scene, "early", { dueAt: LONG_AGO, deadlineAt: FAR_AHEAD }),
          task(scene, "neither", { dueAt: FAR_AHEAD, deadlineAt: FAR_AHEAD }),
        );
        expect(new Set(await due(scene))).toEqual(new Set(["late", "early"]));
      }),
    );

    test(
      "gives once what is due for both reasons",
      onStore(harness, async (scene) => {
        await scene.insert(task(scene, "both", { dueAt: LONG_AGO, deadlineAt: LONG_AGO - 1 }));
        expect(await due(scene)).toEqual(["both"]);
      }),
    );

    test(
      "gives containers that wait",
      onStore(harness, async (scene) => {
        await scene.insert(task(scene, "swarm", { kind: "swarm", dueAt: LONG_AGO }));
        expect(await due(scene)).toEqual(["swarm"]);
      }),
    );

    test(
      "oldest first, no more than the limit",
      onStore(harness, async (scene) => {
        await scene.insert(
          task(scene, "c", { dueAt: 300 }),
          task(scene, "a", { dueAt: 100 }),
          task(scene, "d", { dueAt: FAR_AHEAD, deadlineAt: 400 }),
          task(scene, "b", { status: "READY", readyAt: 1, deadlineAt: 200 }),
        );
        expect(await due(scene)).toEqual(["a", "b", "c", "d"]);
        expect(await scene.ask((tx) => tx.due(2))).toHaveLength(2);
        expect(await due(scene, 2)).toEqual(["a", "b"]);
      }),
    );

    test(
      "gives what runs, was told to stop and has had its grace",
      onStore(harness, async (scene) => {
        const stop = sampleStop({ until: LONG_AGO });
        await scene.insert(
          ...STATUSES.map((status) => task(scene, status, { status, stop, readyAt: 1 })),
          task(scene, "swarm", { kind: "swarm", status: "RUNNING", stop }),
          task(scene, "in time", { status: "RUNNING", stop: sampleStop() }),
          task(scene, "not told", { status: "RUNNING", dueAt: 1, deadlineAt: 1 }),
        );
        expect(new Set(await due(scene))).toEqual(new Set(["RUNNING", "swarm"]));
      }),
    );

    test(
      "the earliest of its instants is its place",
      onStore(harness, async (scene) => {
        await scene.insert(
          task(scene, "b", { dueAt: 400, deadlineAt: 200 }),
          task(scene, "c", { status: "RUNNING", stop: sampleStop({ until: 300 }), dueAt: 1, deadlineAt: 1 }),
          task(scene, "a", { dueAt: 100, deadlineAt: 500 }),
          task(scene, "d", { dueAt: 350 }),
        );
        expect(await due(scene)).toEqual(["a", "b", "c", "d"]);
        for (const limit of [1, 2, 3])
          expect(await due(scene, limit)).toEqual(["a", "b", "c"].slice(0, limit));
      }),
    );

    test(
      "the instant itself is due",
      onStore(harness, async (scene) => {
        await scene.store.transact(async (tx) => {
          await tx.write({ insert: [task(scene, "now", { dueAt: tx.now })] });
        });
        expect(await due(scene)).toEqual(["now"]);
      }),
    );

    test(
      "what was dealt with is due no more",
      onStore(harness, async (scene) => {
        const past = task(scene, "past", { dueAt: LONG_AGO });
        await scene.insert(past);
        await scene.update({ ...past, status: "READY", readyAt: LONG_AGO });
        expect(await due(scene)).toEqual([]);
      }),
    );
  });

  describe("nextDue", () => {
    test(
      "null when nothing waits",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        expect(await scene.store.nextDue()).toBeNull();
      }),
    );

    test(
      "the earliest time or deadline, to the millisecond",
      onStore(harness, async (scene) => {
        const first = task(scene, "first", { dueAt: FAR_AHEAD - 5, deadlineAt: FAR_AHEAD });
        const second = task(scene, "second", { status: "READY", readyAt: 1, deadlineAt: FAR_AHEAD - 3 });
        await scene.insert(second);
        expect(await scene.store.nextDue()).toBe(FAR_AHEAD - 3);
        await scene.insert(first);
        expect(await scene.store.nextDue()).toBe(FAR_AHEAD - 5);
        await scene.update({ ...first, status: "SUCCEEDED" });
        expect(await scene.store.nextDue()).toBe(FAR_AHEAD - 3);
        await scene.update({ ...second, status: "RUNNING" });
        expect(await scene.store.nextDue()).toBeNull();
      }),
    );

    test(
      "the end of a grace counts too, as long as what has it runs",
      onStore(harness, async (scene) => {
        const stopping = task(scene, "a", { status: "RUNNING", stop: sampleStop({ until: FAR_AHEAD - 7 }) });
        await scene.insert(stopping, task(scene, "b", { dueAt: FAR_AHEAD - 5 }));
        expect(await scene.store.nextDue()).toBe(FAR_AHEAD - 7);
        await scene.update({ ...stopping, status: "INTERRUPTED" });
        expect(await scene.store.nextDue()).toBe(FAR_AHEAD - 5);
      }),
    );

    test(
      "may be in the past",
      onStore(harness, async (scene) => {
        await scene.insert(task(scene, "past", { dueAt: 1 }));
        expect(await scene.store.nextDue()).toBe(1);
      }),
    );
  });
}
