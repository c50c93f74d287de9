import { describe, expect, test } from "vitest";
import { STATUSES } from "../../../core/status.ts";
import type { StoreHarness } from "../harness.ts";
import { LONG_AGO, sampleTask } from "../sample-record.ts";
import { sampleWorker } from "../sample-worker.ts";
import { onStore, type Scene } from "../scene.ts";

async function strays(scene: Scene): Promise<Set<string>> {
  return new Set(scene.own(await scene.store.strays(1_000)).map((id) => id.slice(scene.id.length)));
}

export function straysCases(harness: StoreHarness): void {
  describe("strays", () => {
    test(
      "tasks that run under a session that is not known or has ended",
      onStore(harness, async (scene) => {
        const sessions = ["live", "lapsed", "ended", "unknown"].map((name) => `${scene.id}${name}`);
        const [live, lapsed, ended] = sessions as [string, string, string];
        await scene.write({
          workers: [
            sampleWorker(live),
            sampleWorker(lapsed, { leaseUntil: LONG_AGO }),
            sampleWorker(ended, { endedAt: LONG_AGO }),
          ],
          insert: sessions.map((workerId) =>
            sampleTask(`${workerId} task`, { status: "RUNNING", workerId, readyAt: 1 }),
          ),
        });
        expect(await strays(scene)).toEqual(new Set(["ended task", "unknown task"]));
      }),
    );

    test(
      "of what names a session only what runs",
      onStore(harness, async (scene) => {
        const workerId = `${scene.id}unknown`;
        await scene.insert(
          ...STATUSES.map((status) =>
            sampleTask(`${scene.id}${status}`, { status, workerId, readyAt: 1, dueAt: LONG_AGO }),
          ),
        );
        expect(await strays(scene)).toEqual(new Set(["RUNNING"]));
      }),
    );

    test(
      "follows changes, no more than the limit",
      onStore(harness, async (scene) => {
        const workerId = `${scene.id}w`;
        const tasks = [1, 2, 3].map((n) =>
          sampleTask(`${scene.id}${n}`, { status: "RUNNING", workerId, readyAt: 1 }),
        );
        await scene.insert(...tasks);
        expect(await scene.store.strays(2)).toHaveLength(2);
        await scene.update({ ...tasks[0]!, status: "READY", workerId: null });
        expect(await strays(scene)).toEqual(new Set(["2", "3"]));
        await scene.write({ workers: [sampleWorker(workerId)] });
        expect(await strays(scene)).toEqual(new Set());
      }),
    );
  });
}
