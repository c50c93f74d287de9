import { describe, expect, test } from "vitest";
import type { SignatureRecord } from "../../../core/record.ts";
import type { ListQuery } from "../../../ports/store.ts";
import type { StoreHarness } from "../harness.ts";
import { FAR_AHEAD, sampleChild, sampleItems, sampleSwarm, sampleTask } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

/** More than there should be: a store that repeats a page fails instead of going on for ever. */
const PAGES = 30;

/** Ids of the case on pages of two, in order; those of other cases are left out by the query. */
async function paged(scene: Scene, query: Partial<ListQuery>): Promise<string[]> {
  const ids: string[] = [];
  let after: ListQuery["after"] = null;
  for (let pages = 0; pages < PAGES; pages++) {
    const page: SignatureRecord[] = await scene.store.list({ roots: false, ...query, after, limit: 2 });
    ids.push(...page.map(({ id }) => id.slice(scene.id.length)));
    if (page.length < 2) return ids;
    after = page.at(-1)!;
  }
  throw new Error(`there are more than ${PAGES} pages`);
}

/** Lists go through what they do not show. */
export function listThroughCases(harness: StoreHarness): void {
  describe("list, through what it does not show", () => {
    test(
      "drafts and what is being discarded, between, before and behind what is shown",
      onStore(harness, async (scene) => {
        const at = (name: string, createdAt: number) =>
          sampleSwarm(`${scene.id}${name}`, { createdAt, name: scene.id });
        const treeOf = (root: SignatureRecord, later = 0): SignatureRecord[] =>
          sampleItems(root, 3, { createdAt: root.createdAt + later, name: scene.id });
        const [a, c, e] = [at("a", FAR_AHEAD - 5), at("c", FAR_AHEAD - 5), at("e", FAR_AHEAD - 3)];
        await scene.insert(a, ...treeOf(a), c, ...treeOf(c, 1), e);
        const [b, d, f] = [at("b", FAR_AHEAD - 5), at("d", FAR_AHEAD - 4), at("f", FAR_AHEAD - 1)];
        for (const draft of [b, d, f])
          await scene.write({ insert: treeOf(draft, 1), drafts: [{ begin: draft.id }] });
        const own = { names: [scene.id] };
        const all = ["e", "c.2", "c.1", "c.0", "c", "a.2", "a.1", "a.0", "a"];
        expect(await paged(scene, own)).toEqual(all);
        expect(await paged(scene, { ...own, statuses: ["PENDING"] })).toEqual(
          all.filter((id) => id.length === 3),
        );
        await scene.write({ update: [c], drafts: [{ condemn: c.id }] });
        expect(await paged(scene, own)).toEqual(["e", "a.2", "a.1", "a.0", "a"]);
        await scene.write({ insert: [f], drafts: [{ finish: f.id }] });
        expect(await paged(scene, own)).toEqual(["f.2", "f.1", "f.0", "f", "e", "a.2", "a.1", "a.0", "a"]);
      }),
    );

    test(
      "what has another status than what is under way in a workflow",
      onStore(harness, async (scene) => {
        const createdAt = FAR_AHEAD - 9;
        const root = sampleSwarm(scene.id, { createdAt });
        const inner = sampleChild(root, 1, { kind: "chain", status: "RUNNING", createdAt });
        const runs = { status: "RUNNING", attempt: 1, epoch: 1, workerId: scene.id } as const;
        await scene.insert(
          root,
          inner,
          sampleChild(root, 0, { ...runs, createdAt: createdAt + 1 }),
          sampleChild(root, 2, { ...runs, createdAt, workerId: null }),
          sampleChild(root, 3, { status: "READY", readyAt: 1, createdAt: createdAt + 1 }),
          sampleChild(root, 4, { status: "SUCCEEDED", milestone: 3, credited: 3, createdAt: createdAt + 2 }),
          sampleChild(root, 5, { status: "FAILED", milestone: 3, credited: 3, createdAt }),
          sampleChild(root, 6, { createdAt }),
          sampleChild(inner, 0, { ...runs, createdAt }),
          sampleTask(`${scene.id}0`, { ...runs, createdAt }),
        );
        const inside = { rootId: scene.id };
        expect(await paged(scene, { ...inside, statuses: ["RUNNING"] })).toEqual([
          ".0",
          ".2",
          ".1.0",
          ".1",
          "",
        ]);
        expect(await paged(scene, { ...inside, statuses: ["READY"] })).toEqual([".3"]);
        const three = await paged(scene, { ...inside, statuses: ["FAILED", "READY", "RUNNING"] });
        expect(three).toEqual([".3", ".0", ".5", ".2", ".1.0", ".1", ""]);
        expect(await paged(scene, { ...inside, statuses: ["RUNNING"], kinds: ["chain"] })).toEqual([".1"]);
        expect(await paged(scene, { ...inside, statuses: ["WAITING"] })).toEqual([]);
        expect(await paged(scene, { ...inside, statuses: ["SUCCEEDED"] })).toEqual([".4"]);
        expect(await paged(scene, { rootId: `${scene.id}0`, statuses: ["RUNNING"] })).toEqual(["0"]);
      }),
    );
  });
}
