import { describe, expect, test } from "vitest";
import type { StoreHarness } from "../harness.ts";
import { sampleEntry } from "../sample-entry.ts";
import { sampleLog } from "../sample-log.ts";
import { sampleSwarm, sampleTask, sampleChild } from "../sample-record.ts";
import { sampleWorker } from "../sample-worker.ts";
import { onStore } from "../scene.ts";

export function openCloseCases(harness: StoreHarness): void {
  describe("open and close", () => {
    test(
      "has a name for people",
      onStore(harness, async ({ store }) => {
        expect(store.name).not.toBe("");
      }),
    );

    test(
      "tells how others open it, or that they cannot",
      onStore(harness, async ({ store }) => {
        if (store.address === null) return;
        expect(store.address).toEqual({ module: expect.any(String), url: expect.any(String) });
      }),
    );

    test(
      "opening an open store changes nothing",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        await scene.store.open();
        await Promise.all([scene.store.open(), scene.store.open()]);
        expect(await scene.get(scene.id)).toEqual(sampleTask(scene.id));
      }),
    );

    test(
      "a closed store refuses, and works again when it is opened",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        await scene.store.close();
        await expect(scene.store.get([scene.id])).rejects.toThrow(Error);
        await expect(scene.insert(sampleTask(`${scene.id}late`))).rejects.toThrow(Error);
        await scene.store.open();
        expect(await scene.get(`${scene.id}late`)).toBeUndefined();
      }),
    );

    test(
      "closing waits for a transaction that is under way",
      onStore(harness, async (scene) => {
        const commit = scene.insert(sampleTask(scene.id));
        await Promise.all([commit, scene.store.close()]);
        await scene.store.open();
        expect(await scene.get(scene.id)).toBeDefined();
      }),
    );

    test(
      "closing twice is allowed",
      onStore(harness, async ({ store }) => {
        await store.close();
        await store.close();
        await store.open();
        expect(await store.lastSeq("nothing")).toBe(0);
      }),
    );

    test(
      "what was committed is there for the next process",
      onStore(
        harness,
        async (scene) => {
          const { id } = scene;
          const swarm = sampleSwarm(id, { key: id, tags: [id], sweep: "start" });
          await scene.write({
            insert: [swarm, sampleChild(swarm, 0, { key: "item" })],
            specs: [{ rootId: id, id: "0", body: "{}" }],
            journal: new Map([[id, [sampleEntry(id), sampleEntry(id, 2)]]]),
            logs: [sampleLog(id, "kept")],
            steps: [{ id, generation: 1, name: "fetch", result: "[1]" }],
            checkpoints: [{ id, generation: 1, body: '"half"' }],
            progress: [{ id, generation: 1, progress: { fraction: 0.5, note: "half" } }],
            workers: [sampleWorker(id)],
          });
          await scene.reopen();
          const { store } = scene;
          expect(await scene.get(id)).toEqual(swarm);
          expect((await store.byKey(id))?.id).toBe(id);
          expect(await store.specs([{ rootId: id, id: "0" }])).toEqual([{ rootId: id, id: "0", body: "{}" }]);
          expect(await store.journal({ rootId: id, after: 0, limit: 9 })).toHaveLength(2);
          expect(await store.logs({ id, after: 0, limit: 9 })).toMatchObject([{ message: "kept" }]);
          expect(await store.notes(id, 1)).toEqual({
            steps: new Map([["fetch", "[1]"]]),
            checkpoint: '"half"',
            progress: { fraction: 0.5, note: "half" },
          });
          expect(scene.own(await store.workers(100))).toEqual([sampleWorker(id)]);
          expect(scene.own(await scene.ask((tx) => tx.sweeping(100)))).toEqual([id]);
          expect(await scene.ask((tx) => tx.itemsByKey(id, ["item"]))).toHaveLength(1);
        },
        "durable",
      ),
    );

    test(
      "the next process goes on numbering",
      onStore(
        harness,
        async (scene) => {
          const { id } = scene;
          const commit = { journal: new Map([[id, [sampleEntry(id)]]]), logs: [sampleLog(id, "line")] };
          await scene.insert(sampleTask(id));
          await scene.write(commit);
          await scene.reopen();
          await scene.write(commit);
          const journal = await scene.store.journal({ rootId: id, after: 0, limit: 9 });
          expect(journal.map(({ seq }) => seq)).toEqual([1, 2]);
          const [first, second] = await scene.store.logs({ id, after: 0, limit: 9 });
          expect(second!.seq).toBeGreaterThan(first!.seq);
        },
        "durable",
      ),
    );

    test(
      "an unfinished draft stays hidden from the next process",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          await scene.write({ insert: [sampleChild(swarm, 0)], drafts: [{ begin: scene.id }] });
          await scene.reopen();
          expect(await scene.get(`${scene.id}.0`)).toBeUndefined();
          await scene.write({ insert: [swarm], drafts: [{ finish: scene.id }] });
          expect(await scene.get(`${scene.id}.0`)).toBeDefined();
        },
        "durable",
      ),
    );

    test(
      "what was thrown away does not come back",
      onStore(
        harness,
        async (scene) => {
          const work = scene.store.transact(async (tx) => {
            await tx.write({ insert: [sampleTask(scene.id)] });
            throw new Error("stop");
          });
          await expect(work).rejects.toThrow("stop");
          await scene.reopen();
          expect(await scene.get(scene.id)).toBeUndefined();
        },
        "durable",
      ),
    );
  });
}
