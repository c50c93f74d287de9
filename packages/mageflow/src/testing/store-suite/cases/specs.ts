import { describe, expect, test } from "vitest";
import { HARD_NAMES } from "../hard-texts.ts";
import type { StoreHarness } from "../harness.ts";
import { onStore } from "../scene.ts";

export function specsCases(harness: StoreHarness): void {
  describe("specs", () => {
    test(
      "finds specs by workflow and id, inside a transaction and outside",
      onStore(harness, async (scene) => {
        const rows = ["0", "1"].map((id) => ({ rootId: scene.id, id, body: `{"spec":${id}}` }));
        await scene.write({ specs: rows });
        expect(new Set(await scene.store.specs(rows))).toEqual(new Set(rows));
        expect(new Set(await scene.ask((tx) => tx.specs(rows)))).toEqual(new Set(rows));
      }),
    );

    test(
      "leaves out what does not exist",
      onStore(harness, async (scene) => {
        const row = { rootId: scene.id, id: "0", body: "{}" };
        await scene.write({ specs: [row] });
        const refs = [row, { rootId: scene.id, id: "1" }, { rootId: `${scene.id}x`, id: "0" }];
        expect(await scene.store.specs(refs)).toEqual([row]);
      }),
    );

    test(
      "nothing for no refs, and once what is asked for twice",
      onStore(harness, async (scene) => {
        const row = { rootId: scene.id, id: "0", body: "{}" };
        await scene.write({ specs: [row] });
        expect(await scene.store.specs([])).toEqual([]);
        expect(await scene.store.specs([row, { ...row }])).toEqual([row]);
      }),
    );

    test(
      "the same id in two workflows is two specs",
      onStore(harness, async (scene) => {
        const rows = ["a", "b"].map((root) => ({ rootId: `${scene.id}${root}`, id: "0", body: `"${root}"` }));
        await scene.write({ specs: rows });
        expect(await scene.store.specs([rows[1]!])).toEqual([rows[1]]);
        expect(new Set(await scene.store.specs(rows))).toEqual(new Set(rows));
      }),
    );

    test(
      "does not mix up the ids of what is asked for",
      onStore(harness, async (scene) => {
        const at = (root: string, id: string) => ({
          rootId: `${scene.id}${root}`,
          id,
          body: `"${root}${id}"`,
        });
        const rows = [at("a", "0"), at("a", "1"), at("b", "0"), at("b", "1")];
        await scene.write({ specs: rows });
        const asked = [at("a", "0"), at("b", "1")];
        expect(new Set(await scene.store.specs(asked))).toEqual(new Set(asked));
      }),
    );

    test(
      "ids that a database would confuse stay apart",
      onStore(harness, async (scene) => {
        const rows = HARD_NAMES.map((id, n) => ({ rootId: scene.id, id, body: `${n}` }));
        await scene.write({ specs: rows });
        for (const row of rows) expect(await scene.store.specs([row])).toEqual([row]);
      }),
    );

    test(
      "gives 1,000 at once",
      onStore(harness, async (scene) => {
        const rows = Array.from({ length: 1_000 }, (_, n) => ({ rootId: scene.id, id: `${n}`, body: "{}" }));
        await scene.write({ specs: rows });
        expect(await scene.store.specs(rows)).toHaveLength(1_000);
      }),
    );
  });
}
