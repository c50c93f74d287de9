import { describe, expect, test } from "vitest";
import { LOG_LEVELS, type LogQuery } from "../../../ports/store.ts";
import { HARD_JSON, HARD_NAMES } from "../hard-texts.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleLog } from "../sample-log.ts";
import { FAR_AHEAD } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

async function messages(scene: Scene, query: Partial<LogQuery>): Promise<string[]> {
  const of = query.id === undefined && query.rootId === undefined ? { id: scene.id } : {};
  const rows = await scene.store.logs({ after: 0, limit: 1_000, ...of, ...query });
  return rows.map(({ message }) => message);
}

/** More than there should be: a store that repeats a page fails instead of going on for ever. */
const PAGES = 20;

export function logsCases(harness: StoreHarness): void {
  describe("logCount", () => {
    test(
      "counts the lines of a workflow, of every level and signature, and no others",
      onStore(harness, async (scene) => {
        const rootId = scene.id;
        const lines = LOG_LEVELS.map((level, n) => sampleLog(`${rootId}.${n}`, "line", { rootId, level }));
        const beside = ["1", "-", ".0"].map((name) => sampleLog(`${rootId}${name}`, "line"));
        await scene.write({ logs: [...lines, sampleLog(rootId, "line"), ...beside] });
        expect(await scene.store.logCount(rootId, 100)).toBe(LOG_LEVELS.length + 1);
        await scene.write({ logs: lines });
        expect(await scene.store.logCount(rootId, 100)).toBe(2 * LOG_LEVELS.length + 1);
        expect(await scene.store.logCount(`${rootId}1`, 100)).toBe(1);
        expect(await scene.store.logCount(`${rootId}none`, 100)).toBe(0);
        for (const limit of [1, 2 * LOG_LEVELS.length])
          expect(await scene.store.logCount(rootId, limit)).toBe(limit);
      }),
    );

    test(
      "counts no more than there are when a transaction fails",
      onStore(harness, async (scene) => {
        const failed = scene.store.transact(async (tx) => {
          await tx.write({ logs: [sampleLog(scene.id, "line")] });
          throw new Error("no");
        });
        await expect(failed).rejects.toThrow("no");
        expect(await scene.store.logCount(scene.id, 100)).toBe(0);
      }),
    );
  });

  describe("logs", () => {
    test(
      "none of a signature that wrote none",
      onStore(harness, async (scene) => {
        expect(await messages(scene, { id: scene.id })).toEqual([]);
        expect(await messages(scene, { rootId: scene.id })).toEqual([]);
      }),
    );

    test(
      "lines come back whole, with a number that grows",
      onStore(harness, async (scene) => {
        const lines = LOG_LEVELS.map((level, n) =>
          sampleLog(scene.id, `line ${n}`, {
            rootId: `${scene.id}root`,
            generation: n + 1,
            attempt: n,
            at: FAR_AHEAD - n,
            level,
            fields: n === 0 ? null : '{"b":1,"a":2}',
          }),
        );
        await scene.write({ logs: lines });
        const rows = await scene.store.logs({ id: scene.id, after: 0, limit: 9 });
        expect(rows).toEqual(lines.map((line) => ({ ...line, seq: expect.any(Number) })));
        const seqs = rows.map(({ seq }) => seq);
        expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
        expect(seqs[0]).toBeGreaterThan(0);
      }),
    );

    test(
      "oldest first over commits, in the order in which they were written",
      onStore(harness, async (scene) => {
        for (let n = 0; n < 12; n += 3) {
          await scene.write({
            logs: [n, n + 1, n + 2].map((line) => sampleLog(scene.id, `${line}`, { at: 99 - n })),
          });
        }
        expect(await messages(scene, {})).toEqual(Array.from({ length: 12 }, (_, n) => `${n}`));
      }),
    );

    test(
      "of one signature, or of a whole workflow",
      onStore(harness, async (scene) => {
        const rootId = scene.id;
        await scene.write({
          logs: [
            sampleLog(`${rootId}.0`, "zero", { rootId }),
            sampleLog(`${rootId}.1`, "one", { rootId }),
            sampleLog(`${rootId}.0`, "zero again", { rootId }),
            sampleLog(`${rootId}x`, "other"),
          ],
        });
        expect(await messages(scene, { id: `${rootId}.0` })).toEqual(["zero", "zero again"]);
        expect(await messages(scene, { rootId })).toEqual(["zero", "one", "zero again"]);
        expect(await messages(scene, { id: `${rootId}.1`, rootId })).toEqual(["one"]);
      }),
    );

    test(
      "pages beyond `after` without gap or repeat while lines are added",
      onStore(harness, async (scene) => {
        const line = (n: number): ReturnType<typeof sampleLog> => sampleLog(scene.id, `${n}`);
        await scene.write({ logs: [0, 1, 2, 3, 4].map(line) });
        const met: string[] = [];
        for (let page = 0, after = 0; page < PAGES; page++) {
          const rows = await scene.store.logs({ id: scene.id, after, limit: 2 });
          if (rows.length === 0) break;
          expect(rows.length).toBeLessThanOrEqual(2);
          met.push(...rows.map(({ message }) => message));
          after = rows.at(-1)!.seq;
          if (page < 4) await scene.write({ logs: [line(5 + page)] });
        }
        expect(met).toEqual(Array.from({ length: 9 }, (_, n) => `${n}`));
      }),
    );

    test(
      "by level",
      onStore(harness, async (scene) => {
        await scene.write({ logs: LOG_LEVELS.map((level) => sampleLog(scene.id, level, { level })) });
        expect(await messages(scene, { level: "warn" })).toEqual(["warn", "error"]);
        expect(await messages(scene, { level: "error" })).toEqual(["error"]);
        expect(await messages(scene, { rootId: scene.id, level: "error" })).toEqual(["error"]);
      }),
    );

    test(
      "by text in the message, letter by letter",
      onStore(harness, async (scene) => {
        const lines = [
          "100% sure",
          "100 sure",
          "a_b",
          "aXb",
          "back\\slash",
          "it's",
          "Case",
          "case",
          "\u00e1",
          "a",
          "\u{1f600}",
        ];
        await scene.write({ logs: lines.map((message) => sampleLog(scene.id, message)) });
        expect(await messages(scene, { contains: "100%" })).toEqual(["100% sure"]);
        expect(await messages(scene, { contains: "a_b" })).toEqual(["a_b"]);
        expect(await messages(scene, { contains: "\\" })).toEqual(["back\\slash"]);
        expect(await messages(scene, { contains: "'" })).toEqual(["it's"]);
        expect(await messages(scene, { contains: "Case" })).toEqual(["Case"]);
        expect(await messages(scene, { contains: "\u00e1" })).toEqual(["\u00e1"]);
        expect(await messages(scene, { contains: "\u{1f600}" })).toEqual(["\u{1f600}"]);
        expect(await messages(scene, { contains: "nowhere" })).toEqual([]);
      }),
    );

    test(
      "filters are applied before the limit",
      onStore(harness, async (scene) => {
        await scene.write({
          logs: Array.from({ length: 30 }, (_, n) =>
            sampleLog(scene.id, `${n}`, { level: n % 10 === 9 ? "error" : "info" }),
          ),
        });
        expect(await messages(scene, { level: "error", limit: 2 })).toEqual(["9", "19"]);
        expect(await messages(scene, { contains: "7", limit: 2 })).toEqual(["7", "17"]);
      }),
    );

    test(
      "messages come back unchanged",
      onStore(harness, async (scene) => {
        const lines = [...HARD_NAMES, ...HARD_JSON.map(([, text]) => text), ""];
        await scene.write({ logs: lines.map((message) => sampleLog(scene.id, message)) });
        const back = await messages(scene, {});
        expect(back.length).toBe(lines.length);
        // Compared here, as the difference of two texts of 1 MiB takes minutes to show.
        const changed = lines.filter((line, n) => back[n] !== line);
        expect(changed.map((line) => line.slice(0, 80))).toEqual([]);
      }),
    );
  });
}
