import { describe, expect, test } from "vitest";
import { STATUSES } from "../../../core/status.ts";
import { HARD_NAMES } from "../hard-texts.ts";
import type { StoreHarness } from "../harness.ts";
import { FAR_AHEAD, LONG_AGO, sampleTask } from "../sample-record.ts";
import { sampleWorker } from "../sample-worker.ts";
import { onStore, type Scene } from "../scene.ts";

/** Worker sessions of this case by the end of their ids. */
async function lapsed(scene: Scene): Promise<string[]> {
  const rows = await scene.ask((tx) => tx.lapsed(1_000));
  return scene.own(rows).map(({ id }) => id.slice(scene.id.length));
}

export function workersCases(harness: StoreHarness): void {
  describe("workers", () => {
    test(
      "come back whole",
      onStore(harness, async (scene) => {
        const rows = [
          sampleWorker(`${scene.id}b`, { tasks: [], startedAt: FAR_AHEAD, endedAt: FAR_AHEAD }),
          sampleWorker(`${scene.id}a`, {
            tasks: HARD_NAMES,
            host: "h\u00f6st \u{1f600}",
            concurrency: 1,
            autoResume: { enabled: true, only: null, except: HARD_NAMES, stagger: null },
          }),
        ];
        await scene.write({ workers: rows });
        expect(scene.own(await scene.store.workers(1_000))).toEqual(rows);
      }),
    );

    test(
      "newest first, no more than the limit",
      onStore(harness, async (scene) => {
        const rows = [1, 3, 2].map((n) => sampleWorker(`${scene.id}${n}`, { startedAt: FAR_AHEAD - 9 + n }));
        await scene.write({ workers: rows });
        const ids = scene.own(await scene.store.workers(1_000)).map(({ id }) => id.slice(scene.id.length));
        expect(ids).toEqual(["3", "2", "1"]);
        expect(await scene.store.workers(2)).toHaveLength(2);
      }),
    );

    test(
      "a session that is written again is replaced",
      onStore(harness, async (scene) => {
        await scene.write({ workers: [sampleWorker(scene.id)] });
        const again = sampleWorker(scene.id, { leaseUntil: 5, endedAt: 6, concurrency: 7, tasks: ["other"] });
        await scene.write({ workers: [again] });
        expect(scene.own(await scene.store.workers(1_000))).toEqual([again]);
      }),
    );
  });

  describe("alive", () => {
    test(
      "tells the sessions that are known and not ended",
      onStore(harness, async (scene) => {
        const [live, lapsed, ended] = ["live", "lapsed", "ended"].map((name) => `${scene.id}${name}`) as [
          string,
          string,
          string,
        ];
        const rows = [
          sampleWorker(live),
          sampleWorker(lapsed, { leaseUntil: LONG_AGO }),
          sampleWorker(ended, { endedAt: LONG_AGO }),
        ];
        await scene.write({ workers: rows });
        const ask = (id: string): Promise<boolean> => scene.ask((tx) => tx.alive(id));
        expect(await Promise.all([live, lapsed, ended, `${scene.id}none`].map(ask))).toEqual([
          true,
          true,
          false,
          false,
        ]);
      }),
    );
  });

  describe("heartbeat", () => {
    test(
      "extends the lease from the store's now",
      onStore(harness, async (scene) => {
        const before = await scene.write({ workers: [sampleWorker(scene.id, { leaseUntil: LONG_AGO })] });
        expect(await scene.store.heartbeat(scene.id, 60_000)).toBe(true);
        const [row] = scene.own(await scene.store.workers(1_000));
        expect(row!.leaseUntil).toBeGreaterThanOrEqual(before + 60_000);
        // A transaction's time may be behind, and comes to it soon.
        const now = (): Promise<number> => scene.ask(async (tx) => tx.now);
        await expect.poll(now).toBeGreaterThanOrEqual(row!.leaseUntil - 60_000);
        expect(row).toEqual(sampleWorker(scene.id, { leaseUntil: row!.leaseUntil }));
        expect(await lapsed(scene)).toEqual([]);
      }),
    );

    test(
      "false for a session that is not known",
      onStore(harness, async (scene) => {
        expect(await scene.store.heartbeat(scene.id, 60_000)).toBe(false);
        expect(scene.own(await scene.store.workers(1_000))).toEqual([]);
      }),
    );

    test(
      "false for a session that was declared dead, which stays so",
      onStore(harness, async (scene) => {
        const dead = sampleWorker(scene.id, { leaseUntil: LONG_AGO, endedAt: LONG_AGO });
        await scene.write({ workers: [dead] });
        expect(await scene.store.heartbeat(scene.id, 60_000)).toBe(false);
        expect(scene.own(await scene.store.workers(1_000))).toEqual([dead]);
      }),
    );

    test(
      "touches no other session",
      onStore(harness, async (scene) => {
        const other = sampleWorker(`${scene.id}x`, { leaseUntil: LONG_AGO });
        await scene.write({ workers: [sampleWorker(scene.id), other] });
        await scene.store.heartbeat(scene.id, 60_000);
        expect(scene.own(await scene.store.workers(1_000))).toContainEqual(other);
      }),
    );
  });

  describe("lapsed", () => {
    test(
      "gives sessions whose lease is over and that are not ended",
      onStore(harness, async (scene) => {
        const over = sampleWorker(`${scene.id}over`, { leaseUntil: LONG_AGO });
        await scene.write({
          workers: [
            over,
            sampleWorker(`${scene.id}alive`),
            sampleWorker(`${scene.id}ended`, { leaseUntil: LONG_AGO, endedAt: LONG_AGO }),
          ],
        });
        expect(scene.own(await scene.ask((tx) => tx.lapsed(1_000)))).toEqual([over]);
      }),
    );

    test(
      "no more than the limit",
      onStore(harness, async (scene) => {
        const rows = [1, 2, 3].map((n) => sampleWorker(`${scene.id}${n}`, { leaseUntil: n }));
        await scene.write({ workers: rows });
        expect(await scene.ask((tx) => tx.lapsed(2))).toHaveLength(2);
        expect(new Set(await lapsed(scene))).toEqual(new Set(["1", "2", "3"]));
      }),
    );
  });

  describe("heldByWorker", () => {
    test(
      "gives the tasks that run under a worker, whole",
      onStore(harness, async (scene) => {
        const workerId = `${scene.id}w`;
        const tasks = STATUSES.map((status) =>
          sampleTask(`${scene.id}${status}`, { status, workerId, readyAt: 1 }),
        );
        await scene.insert(
          ...tasks,
          sampleTask(`${scene.id}x`, { status: "RUNNING", workerId: `${workerId}2` }),
        );
        const held = await scene.ask((tx) => tx.heldByWorker(workerId, 100));
        expect(held).toEqual(tasks.filter(({ status }) => status === "RUNNING"));
      }),
    );

    test(
      "no more than the limit",
      onStore(harness, async (scene) => {
        const workerId = `${scene.id}w`;
        const running = { status: "RUNNING", workerId } as const;
        await scene.insert(...[1, 2, 3].map((n) => sampleTask(`${scene.id}${n}`, running)));
        expect(await scene.ask((tx) => tx.heldByWorker(workerId, 2))).toHaveLength(2);
        expect(await scene.ask((tx) => tx.heldByWorker(workerId, 9))).toHaveLength(3);
        expect(await scene.ask((tx) => tx.heldByWorker(`${workerId}none`, 9))).toEqual([]);
      }),
    );

    test(
      "leaves what was given back",
      onStore(harness, async (scene) => {
        const workerId = `${scene.id}w`;
        const task = sampleTask(scene.id, { status: "RUNNING", workerId });
        await scene.insert(task);
        await scene.update({ ...task, status: "READY", readyAt: 1, workerId: null });
        expect(await scene.ask((tx) => tx.heldByWorker(workerId, 9))).toEqual([]);
      }),
    );
  });
}
