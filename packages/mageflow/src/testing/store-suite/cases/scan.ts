import { describe, expect, test } from "vitest";
import type { StoreHarness } from "../harness.ts";
import { sampleCallback, sampleChild, sampleItems, sampleSwarm, sampleTask } from "../sample-record.ts";
import { onStore } from "../scene.ts";

/** More than there should be: a store that repeats a page fails instead of going on for ever. */
const PAGES = 20;

export function scanCases(harness: StoreHarness): void {
  describe("scan", () => {
    test(
      "every record, in the order of the bytes of ids",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const records = [
          sampleTask(`${scene.id}Z`),
          sampleTask(`${scene.id}a`),
          sampleChild(swarm, 10),
          sampleChild(swarm, 2),
          sampleCallback(swarm, "itemSuccess", 0),
          sampleCallback(swarm, "itemsuccess" as "itemSuccess", 0),
          swarm,
        ];
        await scene.insert(...records);
        const scanned = await scene.scan(null, 100);
        expect(scanned).toEqual(records.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
      }),
    );

    test(
      "from the beginning when there is no position",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        expect(await scene.store.scan({ after: null, limit: 1 })).toHaveLength(1);
      }),
    );

    test(
      "pages without gap or repeat while records are added",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        const items = sampleItems(swarm, 10);
        await scene.insert(...items);
        const met: string[] = [];
        for (let n = 0; n < PAGES; n++) {
          const page = await scene.scan(met.at(-1) ?? null, 3);
          if (page.length === 0) break;
          expect(page.length).toBeLessThanOrEqual(3);
          met.push(...page.map(({ id }) => id));
          await scene.insert(sampleTask(`${scene.id}.0added${n}`));
        }
        expect(met).toEqual([...new Set(met)].toSorted());
        expect(met.filter((id) => !id.includes("added"))).toEqual(items.map(({ id }) => id));
      }),
    );

    test(
      "a position need not exist",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(`${scene.id}a`), sampleTask(`${scene.id}c`));
        expect((await scene.scan(`${scene.id}b`, 9)).map(({ id }) => id)).toEqual([`${scene.id}c`]);
        expect(await scene.scan(`${scene.id}c`, 9)).toEqual([]);
      }),
    );
  });
}
