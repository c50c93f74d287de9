import { describe, expect, test } from "vitest";
import { HARD_NAMES } from "../hard-texts.ts";
import type { SignatureRecord } from "../../../core/record.ts";
import type { ListQuery } from "../../../ports/store.ts";
import type { StoreHarness } from "../harness.ts";
import {
  FAR_AHEAD,
  fullRecord,
  LONG_AGO,
  sampleCallback,
  sampleChild,
  sampleSwarm,
  sampleTask,
} from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

/** Ids found by a query, without what stands in front of each id of the case. */
async function found(scene: Scene, query: Partial<ListQuery>): Promise<string[]> {
  const records = await scene.store.list({ roots: true, after: null, limit: 100, ...query });
  return scene.own(records).map(({ id }) => id.slice(scene.id.length));
}

/** Newer than what other cases leave behind. */
function newest(scene: Scene, name: string, other: Partial<SignatureRecord> = {}): SignatureRecord {
  return sampleTask(`${scene.id}${name}`, { createdAt: FAR_AHEAD, name: scene.id, ...other });
}

/** More than there should be: a store that repeats a page fails instead of going on for ever. */
const PAGES = 20;

export function listCases(harness: StoreHarness): void {
  describe("list", () => {
    test(
      "newest first, then by id backwards",
      onStore(harness, async (scene) => {
        const instants = { a: 5, b: 7, c: 5, d: 6, e: 5 };
        await scene.insert(
          ...Object.entries(instants).map(([name, at]) =>
            newest(scene, name, { createdAt: FAR_AHEAD - 9 + at }),
          ),
        );
        expect(await found(scene, {})).toEqual(["b", "d", "e", "c", "a"]);
        expect(await found(scene, { names: [scene.id] })).toEqual(["b", "d", "e", "c", "a"]);
      }),
    );

    test(
      "gives whole records",
      onStore(harness, async (scene) => {
        const root = newest(scene, "", { key: scene.id, tags: ["a", "b"], bound: "{}", result: "1" });
        await scene.insert(root);
        expect(await scene.store.list({ roots: true, names: [scene.id], after: null, limit: 9 })).toEqual([
          root,
        ]);
      }),
    );

    test(
      "only roots, or everything",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id, { createdAt: FAR_AHEAD });
        const inside = { createdAt: FAR_AHEAD };
        await scene.insert(
          swarm,
          sampleChild(swarm, 0, inside),
          sampleChild(swarm, 1, inside),
          sampleCallback(swarm, "success", 0, inside),
        );
        expect(await found(scene, {})).toEqual([""]);
        expect(await found(scene, { roots: false })).toEqual([".success0", ".1", ".0", ""]);
      }),
    );

    test(
      "no more than the limit",
      onStore(harness, async (scene) => {
        await scene.insert(...["a", "b", "c"].map((name) => newest(scene, name)));
        const page = await scene.store.list({ roots: true, names: [scene.id], after: null, limit: 2 });
        expect(page).toHaveLength(2);
      }),
    );

    test(
      "pages by position through equal instants",
      onStore(harness, async (scene) => {
        const names = Array.from({ length: 10 }, (_, n) => `${n}`);
        await scene.insert(
          ...names.map((name, n) => newest(scene, name, { createdAt: LONG_AGO + (n >> 2) })),
        );
        const met: string[] = [];
        let after: ListQuery["after"] = null;
        for (let n = 0; n < PAGES; n++) {
          const page: SignatureRecord[] = await scene.store.list({
            roots: true,
            names: [scene.id],
            after,
            limit: 3,
          });
          const last = page.at(-1);
          if (last === undefined) break;
          met.push(...page.map(({ id }) => id.slice(scene.id.length)));
          after = { createdAt: last.createdAt, id: last.id };
        }
        expect(met).toEqual(names.toReversed());
      }),
    );

    test(
      "paging meets each old one once while newer ones are added",
      onStore(harness, async (scene) => {
        const names = Array.from({ length: 6 }, (_, n) => `old${n}`);
        await scene.insert(...names.map((name, n) => newest(scene, name, { createdAt: LONG_AGO + n })));
        const met: string[] = [];
        let after: ListQuery["after"] = null;
        for (let n = 0; n < PAGES; n++) {
          const page: SignatureRecord[] = await scene.store.list({
            roots: true,
            names: [scene.id],
            after,
            limit: 2,
          });
          const last = page.at(-1);
          if (last === undefined) break;
          met.push(...page.map(({ id }) => id.slice(scene.id.length)));
          after = { createdAt: last.createdAt, id: last.id };
          await scene.insert(newest(scene, `new${n}`, { createdAt: LONG_AGO + 100 + n }));
        }
        expect(met).toEqual(names.toReversed());
      }),
    );

    test(
      "a position need not exist",
      onStore(harness, async (scene) => {
        await scene.insert(newest(scene, "a", { createdAt: 10 }), newest(scene, "c", { createdAt: 10 }));
        const after = { createdAt: 10, id: `${scene.id}b` };
        expect(await found(scene, { names: [scene.id], after })).toEqual(["a"]);
        expect(await found(scene, { names: [scene.id], after: { createdAt: 11, id: "" } })).toEqual([
          "c",
          "a",
        ]);
        expect(await found(scene, { names: [scene.id], after: { createdAt: 9, id: "~" } })).toEqual([]);
      }),
    );

    test(
      "by status",
      onStore(harness, async (scene) => {
        const statuses = ["RUNNING", "FAILED", "SUCCEEDED", "FAILED"] as const;
        await scene.insert(...statuses.map((status, n) => newest(scene, `${n}`, { status })));
        expect(await found(scene, { statuses: ["FAILED"] })).toEqual(["3", "1"]);
        expect(await found(scene, { statuses: ["FAILED", "RUNNING"] })).toEqual(["3", "1", "0"]);
        expect(await found(scene, { statuses: ["FAILED"], roots: false })).toEqual(["3", "1"]);
        expect(await found(scene, { statuses: ["CANCELLED"] })).toEqual([]);
      }),
    );

    test(
      "by kind",
      onStore(harness, async (scene) => {
        const kinds = ["task", "chain", "swarm"] as const;
        await scene.insert(...kinds.map((kind) => newest(scene, kind, { kind })));
        expect(await found(scene, { kinds: ["chain"] })).toEqual(["chain"]);
        expect(await found(scene, { kinds: ["task", "swarm"] })).toEqual(["task", "swarm"]);
      }),
    );

    test(
      "by name, bytewise",
      onStore(harness, async (scene) => {
        const records = HARD_NAMES.map((text, n) => newest(scene, `${n}`, { name: `${scene.id}${text}` }));
        await scene.insert(...records);
        for (const [n, { name }] of records.entries()) {
          expect(await found(scene, { names: [name] })).toEqual([`${n}`]);
        }
        expect(await found(scene, { names: [records[2]!.name, records[1]!.name, "none"] })).toEqual([
          "2",
          "1",
        ]);
      }),
    );

    test(
      "by role",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id, { createdAt: FAR_AHEAD });
        const inside = { createdAt: FAR_AHEAD };
        await scene.insert(
          swarm,
          sampleChild(swarm, 0, inside),
          sampleCallback(swarm, "cleanup", 0, inside),
          sampleCallback(swarm, "success", 0, inside),
        );
        const query = { roots: false, rootId: scene.id };
        expect(await found(scene, { ...query, roles: ["item"] })).toEqual([".0"]);
        expect(await found(scene, { ...query, roles: ["cleanup", "success"] })).toEqual([
          ".success0",
          ".cleanup0",
        ]);
        expect(await found(scene, { ...query, roles: ["step"] })).toEqual([]);
      }),
    );

    test(
      "by a tag of the root",
      onStore(harness, async (scene) => {
        const tagged = sampleSwarm(`${scene.id}a`, { createdAt: FAR_AHEAD, tags: ["x", scene.id] });
        const plain = sampleSwarm(`${scene.id}b`, { createdAt: FAR_AHEAD, tags: ["x"] });
        const inside = { createdAt: FAR_AHEAD };
        const own = sampleChild(plain, 0, { ...inside, tags: [scene.id] });
        await scene.insert(tagged, plain, sampleChild(tagged, 0, inside), own);
        expect(await found(scene, { tag: scene.id })).toEqual(["a"]);
        expect(await found(scene, { tag: scene.id, roots: false })).toEqual(["a.0", "a"]);
        expect(await found(scene, { tag: `${scene.id}none` })).toEqual([]);
      }),
    );

    test(
      "what is marked for deletion, or is not, newest first",
      onStore(harness, async (scene) => {
        const deletion = { ...fullRecord("").deletion!, purged: false };
        const marked = { deletion, tags: [scene.id] };
        await scene.insert(
          newest(scene, "a", marked),
          newest(scene, "b", { ...marked, status: "FAILED", createdAt: FAR_AHEAD - 1 }),
          newest(scene, "c"),
          newest(scene, "d", { ...marked, status: "RUNNING", deletion: { ...deletion, purgeAt: 1 } }),
        );
        const names = [scene.id];
        expect(await found(scene, { names, marked: true })).toEqual(["d", "a", "b"]);
        expect(await found(scene, { names, marked: true, roots: false })).toEqual(["d", "a", "b"]);
        expect(await found(scene, { names, marked: true, statuses: ["FAILED", "PENDING"] })).toEqual([
          "a",
          "b",
        ]);
        expect(await found(scene, { names, marked: true, tag: scene.id, limit: 2 })).toEqual(["d", "a"]);
        const after = { createdAt: FAR_AHEAD, id: `${scene.id}d` };
        expect(await found(scene, { names, marked: true, after })).toEqual(["a", "b"]);
        expect(await found(scene, { names, marked: false })).toEqual(["c"]);
        expect(await found(scene, { marked: true, roots: false, rootId: `${scene.id}a` })).toEqual(["a"]);
        expect(await found(scene, { marked: true, roots: false, rootId: `${scene.id}c` })).toEqual([]);
        await scene.update({ ...(await scene.get(`${scene.id}a`))!, deletion: null });
        expect(await found(scene, { names, marked: true })).toEqual(["d", "b"]);
        expect(await found(scene, { names, marked: false })).toEqual(["c", "a"]);
      }),
    );

    test(
      "tags that a database would confuse stay apart",
      onStore(harness, async (scene) => {
        await scene.insert(
          ...HARD_NAMES.map((text, n) => newest(scene, `${n}`, { tags: ["first", `${scene.id}${text}`] })),
        );
        for (const [n, text] of HARD_NAMES.entries()) {
          expect(await found(scene, { tag: `${scene.id}${text}` })).toEqual([`${n}`]);
        }
        expect(await found(scene, { tag: scene.id })).toEqual([]);
      }),
    );

    test(
      "of one workflow",
      onStore(harness, async (scene) => {
        const one = sampleSwarm(`${scene.id}1`);
        const eleven = sampleSwarm(`${scene.id}11`);
        await scene.insert(one, eleven, sampleChild(one, 0), sampleChild(eleven, 0));
        expect(await found(scene, { roots: false, rootId: one.id })).toEqual(["1.0", "1"]);
        expect(await found(scene, { roots: true, rootId: one.id })).toEqual(["1"]);
        expect(await found(scene, { roots: false, rootId: `${scene.id}none` })).toEqual([]);
      }),
    );

    test(
      "all filters hold together",
      onStore(harness, async (scene) => {
        const match = { status: "FAILED", kind: "chain", tags: [scene.id] } as const;
        await scene.insert(
          newest(scene, "match", match),
          newest(scene, "status", { ...match, status: "RUNNING" }),
          newest(scene, "kind", { ...match, kind: "swarm" }),
          newest(scene, "name", { ...match, name: `${scene.id}x` }),
          newest(scene, "tag", { ...match, tags: [] }),
        );
        const query = {
          statuses: ["FAILED"],
          kinds: ["chain"],
          names: [scene.id],
          roles: ["root"],
          tag: scene.id,
        } as const;
        expect(await found(scene, query)).toEqual(["match"]);
        expect(await found(scene, { ...query, roots: false })).toEqual(["match"]);
        expect(await found(scene, { ...query, rootId: `${scene.id}match` })).toEqual(["match"]);
        expect(await found(scene, { ...query, rootId: `${scene.id}tag` })).toEqual([]);
      }),
    );

    test(
      "a filter is applied before the limit",
      onStore(harness, async (scene) => {
        const statuses = Array.from("FFFSFFSFF", (letter) => (letter === "F" ? "FAILED" : "SUCCEEDED"));
        await scene.insert(...statuses.map((status, n) => newest(scene, `${n}`, { status })));
        expect(await found(scene, { names: [scene.id], statuses: ["SUCCEEDED"], limit: 2 })).toEqual([
          "6",
          "3",
        ]);
      }),
    );
  });
}
