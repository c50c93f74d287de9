import { describe, expect, test } from "vitest";
import { KEPT_REPORTS } from "../../../ports/store.ts";
import type { ResumeReport } from "../../../core/resume-report.ts";
import type { StoreHarness } from "../harness.ts";
import { FAR_AHEAD, LONG_AGO } from "../sample-record.ts";
import { sampleReport } from "../sample-report.ts";
import { onStore, type Scene } from "../scene.ts";

/** Ids of this case's reports, newest first. What other cases and earlier runs have left is older: their ids come before. */
async function ids(scene: Scene, after: string | null = null, limit = KEPT_REPORTS): Promise<string[]> {
  const reports = await scene.store.reports({ after: after ?? `${scene.id}~`, limit });
  return scene.own(reports).map(({ id }) => id.slice(scene.id.length));
}

export function reportsCases(harness: StoreHarness): void {
  describe("reports", () => {
    test(
      "come back as they were written, and are written anew under the same id",
      onStore(harness, async (scene) => {
        const first = sampleReport(`${scene.id}a`);
        await scene.write({ reports: [first] });
        expect(await scene.store.reports({ after: `${scene.id}~`, limit: 1 })).toEqual([first]);
        const grown = sampleReport(first.id, { reason: "start", seen: 2, kept: 1, more: true });
        await scene.write({ reports: [grown] });
        expect(scene.own(await scene.store.reports({ after: `${scene.id}~`, limit: 10 }))).toEqual([grown]);
      }),
    );

    test(
      "newest first, by position, which need not exist",
      onStore(harness, async (scene) => {
        await scene.write({
          reports: ["b", "d", "a", "c"].map((name) => sampleReport(`${scene.id}${name}`)),
        });
        expect(await ids(scene, null, 2)).toEqual(["d", "c"]);
        expect(await ids(scene, `${scene.id}c`, 1)).toEqual(["b"]);
        expect(await ids(scene, `${scene.id}bb`)).toEqual(["b", "a"]);
        expect(await scene.store.reports({ after: null, limit: 1 })).toHaveLength(1);
      }),
    );

    test(
      "only the newest are kept",
      onStore(harness, async (scene) => {
        const numbers = Array.from({ length: KEPT_REPORTS + 2 }, (_, n) => String(n).padStart(4, "0"));
        await scene.write({ reports: numbers.slice(1).map((n) => sampleReport(`${scene.id}${n}`)) });
        await scene.write({ reports: [sampleReport(`${scene.id}${numbers[0]!}`)] });
        expect(await ids(scene)).toEqual(numbers.slice(2).toReversed());
      }),
    );

    test(
      "the last of a start is kept, whatever comes after it",
      onStore(harness, async (scene) => {
        const start = (name: string, at: number): ResumeReport =>
          sampleReport(`${scene.id}${name}`, { reason: "start", at });
        await scene.write({ reports: [start("a", FAR_AHEAD), start("b", FAR_AHEAD - 1)] });
        const later = Array.from({ length: KEPT_REPORTS }, (_, n) => `c${String(n).padStart(4, "0")}`);
        await scene.write({
          reports: later.map((name) => sampleReport(`${scene.id}${name}`, { at: FAR_AHEAD + 1 })),
        });
        expect(await ids(scene)).toEqual(later.toReversed());
        expect(await ids(scene, null, KEPT_REPORTS + 9)).toEqual([...later.toReversed(), "a"]);
        expect(await scene.ask((tx) => tx.lastStart())).toBe(FAR_AHEAD);
      }),
    );

    test(
      "nobody else tells of a start between the last one and the next",
      onStore(harness, async (scene) => {
        const tell = (n: number): Promise<void> =>
          scene.store.transact(async (tx) => {
            const at = ((await tx.lastStart()) ?? LONG_AGO) + 1;
            await tx.write({ reports: [sampleReport(`${scene.id}${n}`, { reason: "start", at })] });
          });
        await tell(0);
        const first = await scene.ask((tx) => tx.lastStart());
        await Promise.all([1, 2, 3, 4, 5, 6].map(tell));
        expect(await scene.ask((tx) => tx.lastStart())).toBe(first! + 6);
      }),
    );

    test(
      "are not there when their transaction fails",
      onStore(harness, async (scene) => {
        const failed = scene.store.transact(async (tx) => {
          await tx.write({ reports: [sampleReport(`${scene.id}a`)] });
          throw new Error("no");
        });
        await expect(failed).rejects.toThrow("no");
        expect(await ids(scene)).toEqual([]);
      }),
    );
  });
}
