import { describe, expect, test } from "vitest";
import type { Entry, FlowEvent } from "../../../core/event.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleEntry } from "../sample-entry.ts";
import { sampleTask } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

const TYPES =
  "created ready started waiting retrying recovered suspended resumed " +
  "interrupted succeeded failed skipped cancelled progress settled";

function append(scene: Scene, rootId: string, ...entries: Entry[]): Promise<number> {
  return scene.write({ journal: new Map([[rootId, entries]]) });
}

function read(scene: Scene, rootId: string, after = 0, limit = 1_000): Promise<FlowEvent[]> {
  return scene.store.journal({ rootId, after, limit });
}

function count(to: number): number[] {
  return Array.from({ length: to }, (_, n) => n + 1);
}

export function journalCases(harness: StoreHarness): void {
  describe("journal", () => {
    test(
      "is empty and at 0 for a workflow that has none",
      onStore(harness, async (scene) => {
        expect(await read(scene, scene.id)).toEqual([]);
        expect(await scene.store.lastSeq(scene.id)).toBe(0);
      }),
    );

    test(
      "gives entries back with number and time",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        const progress = { fraction: 0.125, note: "a \0 note \ud800" };
        const entries: Entry[] = [
          { id: scene.id, type: "created", status: "PENDING", generation: 1, attempt: 0 },
          { id: `${scene.id}.7`, type: "progress", status: "RUNNING", generation: 2, attempt: 3, progress },
          { ...sampleEntry(scene.id), progress: { fraction: 1, note: null } },
        ];
        const at = await append(scene, scene.id, ...entries);
        expect(await read(scene, scene.id)).toEqual(
          entries.map((entry, n) => ({ ...entry, seq: n + 1, at })),
        );
        expect(await scene.store.lastSeq(scene.id)).toBe(3);
      }),
    );

    test(
      "knows every type of entry",
      onStore(harness, async (scene) => {
        const types = TYPES.split(" ") as Entry["type"][];
        await append(scene, scene.id, ...types.map((type) => ({ ...sampleEntry(scene.id), type })));
        expect((await read(scene, scene.id)).map(({ type }) => type)).toEqual(types);
      }),
    );

    test(
      "goes on numbering over commits",
      onStore(harness, async (scene) => {
        for (let n = 0; n < 5; n++)
          await append(scene, scene.id, sampleEntry(scene.id), sampleEntry(scene.id));
        expect((await read(scene, scene.id)).map(({ seq }) => seq)).toEqual(count(10));
      }),
    );

    test(
      "goes on numbering over writes of one transaction",
      onStore(harness, async (scene) => {
        await scene.ask(async (tx) => {
          for (let n = 1; n <= 3; n++) {
            await tx.write({ journal: new Map([[scene.id, [sampleEntry(scene.id, n)]]]) });
          }
        });
        expect((await read(scene, scene.id)).map(({ seq, attempt }) => [seq, attempt])).toEqual([
          [1, 1],
          [2, 2],
          [3, 3],
        ]);
      }),
    );

    test(
      "numbers each workflow for itself",
      onStore(harness, async (scene) => {
        const roots = ["a", "b", "c"].map((name) => `${scene.id}${name}`);
        for (let n = 1; n <= 4; n++) {
          await scene.write({ journal: new Map(roots.map((root) => [root, [sampleEntry(root, n)]])) });
        }
        await append(scene, roots[1]!, sampleEntry(roots[1]!, 5));
        for (const [n, root] of roots.entries()) {
          const length = n === 1 ? 5 : 4;
          const events = await read(scene, root);
          expect(events.map(({ seq }) => seq)).toEqual(count(length));
          expect(events.every(({ id }) => id === root)).toBe(true);
          expect(await scene.store.lastSeq(root)).toBe(length);
        }
      }),
    );

    test(
      "a transaction that fails leaves no gap",
      onStore(harness, async (scene) => {
        await append(scene, scene.id, sampleEntry(scene.id));
        const failed = scene.ask(async (tx) => {
          await tx.write({ journal: new Map([[scene.id, [sampleEntry(scene.id), sampleEntry(scene.id)]]]) });
          throw new Error("stop");
        });
        await expect(failed).rejects.toThrow("stop");
        await append(scene, scene.id, sampleEntry(scene.id, 2));
        expect((await read(scene, scene.id)).map(({ seq, attempt }) => [seq, attempt])).toEqual([
          [1, 1],
          [2, 2],
        ]);
      }),
    );

    test(
      "has no gap and keeps commits together when many write at once",
      onStore(harness, async (scene) => {
        await Promise.all(
          Array.from({ length: 25 }, (_, n) =>
            append(scene, scene.id, ...[1, 2, 3].map(() => sampleEntry(scene.id, n))),
          ),
        );
        const events = await read(scene, scene.id);
        expect(events.map(({ seq }) => seq)).toEqual(count(75));
        for (let n = 0; n < 75; n += 3) {
          expect(new Set(events.slice(n, n + 3).map(({ attempt }) => attempt))).toHaveProperty("size", 1);
        }
      }),
    );

    test(
      "has no gap in any workflow when many write to several at once",
      onStore(harness, async (scene) => {
        const roots = Array.from({ length: 5 }, (_, n) => `${scene.id}${n}`);
        await Promise.all(
          Array.from({ length: 30 }, (_, n) => {
            const some = roots.filter((_root, r) => (n + r) % 3 !== 0);
            const order = n % 2 === 0 ? some : some.toReversed();
            return scene.write({ journal: new Map(order.map((root) => [root, [sampleEntry(root, n)]])) });
          }),
        );
        for (const root of roots) {
          const events = await read(scene, root);
          expect(events.map(({ seq }) => seq)).toEqual(count(20));
        }
      }),
    );

    test(
      "pages beyond `after`, no more than the limit",
      onStore(harness, async (scene) => {
        await append(scene, scene.id, ...count(10).map((n) => sampleEntry(scene.id, n)));
        const page = async (after: number, limit: number): Promise<number[]> =>
          (await read(scene, scene.id, after, limit)).map(({ seq }) => seq);
        expect(await page(0, 3)).toEqual([1, 2, 3]);
        expect(await page(3, 3)).toEqual([4, 5, 6]);
        expect(await page(9, 3)).toEqual([10]);
        expect(await page(10, 3)).toEqual([]);
        expect(await page(99, 3)).toEqual([]);
      }),
    );

    test(
      "takes 2,000 entries at once",
      onStore(harness, async (scene) => {
        await append(scene, scene.id, ...count(2_000).map((n) => sampleEntry(`${scene.id}.${n}`, n)));
        const events = await read(scene, scene.id, 0, 5_000);
        expect(events.map(({ attempt }) => attempt)).toEqual(count(2_000));
        expect(await scene.store.lastSeq(scene.id)).toBe(2_000);
      }),
    );
  });
}
