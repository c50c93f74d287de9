import { describe, expect, test } from "vitest";
import { HARD_NAMES } from "../hard-texts.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleTask } from "../sample-record.ts";
import { onStore } from "../scene.ts";

export function notesCases(harness: StoreHarness): void {
  describe("notes", () => {
    test(
      "are empty where nothing was saved",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        expect(await scene.store.notes(scene.id, 1)).toEqual({
          steps: new Map(),
          checkpoint: null,
          progress: null,
        });
      }),
    );

    test(
      "gather over commits",
      onStore(harness, async (scene) => {
        const at = { id: scene.id, generation: 1 };
        await scene.insert(sampleTask(scene.id));
        await scene.write({ steps: [{ ...at, name: "a", result: "1" }] });
        await scene.write({
          steps: [
            { ...at, name: "b", result: "2" },
            { ...at, name: "c", result: "null" },
          ],
        });
        await scene.write({ checkpoints: [{ ...at, body: '{"at":1}' }] });
        await scene.write({ progress: [{ ...at, progress: { fraction: 0.1, note: null } }] });
        expect(await scene.store.notes(scene.id, 1)).toEqual({
          steps: new Map([
            ["a", "1"],
            ["b", "2"],
            ["c", "null"],
          ]),
          checkpoint: '{"at":1}',
          progress: { fraction: 0.1, note: null },
        });
      }),
    );

    test(
      "the last checkpoint counts",
      onStore(harness, async (scene) => {
        const at = { id: scene.id, generation: 1 };
        await scene.insert(sampleTask(scene.id));
        await scene.write({ checkpoints: [{ ...at, body: "1" }] });
        await scene.write({
          checkpoints: [
            { ...at, body: "2" },
            { ...at, body: "3" },
          ],
        });
        expect((await scene.store.notes(scene.id, 1)).checkpoint).toBe("3");
      }),
    );

    test(
      "the last progress counts, exactly",
      onStore(harness, async (scene) => {
        const at = { id: scene.id, generation: 1 };
        await scene.insert(sampleTask(scene.id));
        for (const fraction of [0, 0.1 + 0.2, 1 / 3, 5e-324, 1]) {
          await scene.write({
            progress: [
              { ...at, progress: { fraction: 0.5, note: "before" } },
              { ...at, progress: { fraction, note: "\0\ud800\u{1f600}" } },
            ],
          });
          expect((await scene.store.notes(scene.id, 1)).progress).toEqual({
            fraction,
            note: "\0\ud800\u{1f600}",
          });
        }
      }),
    );

    test(
      "of one generation are not those of another",
      onStore(harness, async (scene) => {
        const { id } = scene;
        await scene.insert(sampleTask(id));
        await scene.write({
          steps: [
            { id, generation: 1, name: "a", result: "1" },
            { id, generation: 2, name: "a", result: "2" },
          ],
          checkpoints: [{ id, generation: 2, body: "3" }],
          progress: [{ id, generation: 1, progress: { fraction: 1, note: null } }],
        });
        expect(await scene.store.notes(id, 1)).toEqual({
          steps: new Map([["a", "1"]]),
          checkpoint: null,
          progress: { fraction: 1, note: null },
        });
        expect(await scene.store.notes(id, 2)).toEqual({
          steps: new Map([["a", "2"]]),
          checkpoint: "3",
          progress: null,
        });
      }),
    );

    test(
      "of one signature are not those of another",
      onStore(harness, async (scene) => {
        const ids = [`${scene.id}.1`, `${scene.id}.11`, `${scene.id}.1.success0`];
        await scene.insert(...ids.map((id) => sampleTask(id)));
        await scene.write({ steps: ids.map((id, n) => ({ id, generation: 1, name: "a", result: `${n}` })) });
        for (const [n, id] of ids.entries()) {
          expect((await scene.store.notes(id, 1)).steps).toEqual(new Map([["a", `${n}`]]));
        }
      }),
    );

    test(
      "names of steps that a database would confuse stay apart",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        const steps = HARD_NAMES.map((name, n) => ({ id: scene.id, generation: 1, name, result: `${n}` }));
        await scene.write({ steps });
        const notes = await scene.store.notes(scene.id, 1);
        expect(notes.steps).toEqual(new Map(steps.map(({ name, result }) => [name, result])));
      }),
    );

    test(
      "of 1,000 steps are all there",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        const steps = Array.from({ length: 1_000 }, (_, n) => ({
          id: scene.id,
          generation: 1,
          name: `${n}`,
          result: `${n}`,
        }));
        await scene.write({ steps });
        expect((await scene.store.notes(scene.id, 1)).steps.size).toBe(1_000);
      }),
    );
  });

  describe("stamped", () => {
    test(
      "is 0 for a process that committed nothing",
      onStore(harness, async (scene) => {
        expect(await scene.store.stamped(scene.id)).toBe(0);
      }),
    );

    test(
      "is the last number of each process",
      onStore(harness, async (scene) => {
        const by = [`${scene.id}a`, `${scene.id}b`] as const;
        for (const n of [1, 2, 5]) await scene.write({ stamp: { by: by[0], n } });
        await scene.write({ insert: [sampleTask(scene.id)], stamp: { by: by[1], n: 3 } });
        expect(await scene.store.stamped(by[0])).toBe(5);
        expect(await scene.store.stamped(by[1])).toBe(3);
      }),
    );

    test(
      "does not count a transaction that failed",
      onStore(harness, async (scene) => {
        await scene.write({ stamp: { by: scene.id, n: 1 } });
        const failed = scene.ask(async (tx) => {
          await tx.write({ stamp: { by: scene.id, n: 2 } });
          throw new Error("stop");
        });
        await expect(failed).rejects.toThrow("stop");
        expect(await scene.store.stamped(scene.id)).toBe(1);
      }),
    );
  });
}
