import { describe, expect, test } from "vitest";
import { UnreadableError } from "../../../ports/unreadable.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleEntry } from "../sample-entry.ts";
import { LONG_AGO, sampleItems, sampleSwarm, sampleTask } from "../sample-record.ts";
import { sampleWorker } from "../sample-worker.ts";
import { onStore, type Scene } from "../scene.ts";

/** But for the mark of deletion: SQLite lets nobody write there what is no JSON. */
const JSON_COLUMNS = ["error", "family", "stop", "lock", "tags"] as const;

/** What is set, and what is then wrong. */
const DAMAGES: readonly (readonly [column: string, set: string, says: string])[] = [
  ["status", "status = 'WEIRD'", 'its status "WEIRD" is none'],
  ...JSON_COLUMNS.map((column) => [column, `${column} = '{'`, `its column ${column} is not JSON`] as const),
];

/** A swarm of five ready items, of which the second is damaged. */
async function damaged(scene: Scene, set: string): Promise<void> {
  const swarm = sampleSwarm(scene.id);
  const ready = { status: "READY", readyAt: LONG_AGO } as const;
  await scene.insert(swarm, ...sampleItems(swarm, 5, ready));
  await scene.edit(`UPDATE signatures SET ${set} WHERE id = '${scene.id}.1'`);
}

/** The ends of ids of this case. */
function ends(scene: Scene, found: readonly { readonly id: string }[]): string[] {
  return scene.own(found).map(({ id }) => id.slice(scene.id.length));
}

export function unreadableCases(harness: StoreHarness): void {
  describe("a damaged record", () => {
    test(
      "that is gone leaves what stood below it to be claimed by nobody, and all else to be claimed",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          const ready = { status: "READY", readyAt: LONG_AGO, name: scene.id } as const;
          const items = sampleItems(swarm, 2, ready);
          const fine = sampleTask(`${scene.id}fine`, ready);
          await scene.insert(swarm, ...items, fine);
          await scene.edit(`DELETE FROM signatures WHERE id = '${scene.id}'`);
          const demand = { workerId: "w", slots: 9, tasks: new Map([[scene.id, 9]]) };
          const seen = await scene.ask(async (tx) => {
            const found = await tx.ready(demand);
            return { found: ends(scene, found), above: await tx.read([scene.id]) };
          });
          expect(seen.found).toContain("fine");
          expect(seen.above).toEqual([]);
        },
        "editable",
      ),
    );

    test.for(DAMAGES)("is named where it is asked for: %s", ([, set, says], context) =>
      onStore(
        harness,
        async (scene) => {
          await damaged(scene, set);
          const ids = [`${scene.id}.0`, `${scene.id}.1`];
          const asked: unknown = await scene.store.get(ids).catch((error: unknown) => error);
          expect(asked).toBeInstanceOf(UnreadableError);
          expect(asked).toMatchObject({ code: "STORE_CORRUPT", id: `${scene.id}.1` });
          expect((asked as Error).message).toContain(says);
          for (const wait of [true, false]) {
            const locked = scene.ask((tx) => tx.lock(ids, { wait }));
            await expect(locked).rejects.toMatchObject({ code: "STORE_CORRUPT", id: `${scene.id}.1` });
          }
        },
        "editable",
      )(context),
    );

    test(
      "spoils the transaction that asks for it, and nothing of that is kept",
      onStore(
        harness,
        async (scene) => {
          await damaged(scene, "tags = '{'");
          const [first, broken] = [`${scene.id}.0`, `${scene.id}.1`];
          const spoilt = scene.ask(async (tx) => {
            const { records } = await tx.lock([first], { wait: true });
            await tx.write({ update: records.map((record) => ({ ...record, status: "RUNNING" })) });
            const lock = tx.lock([broken], { wait: true });
            await expect(lock).rejects.toMatchObject({ code: "STORE_CORRUPT", id: broken });
          });
          await expect(spoilt).rejects.toMatchObject({ code: "STORE_CORRUPT", id: broken });
          expect(await scene.store.get([first])).toMatchObject([{ status: "READY" }]);
        },
        "editable",
      ),
    );

    test.for(DAMAGES)(
      "is left out where many are read, and costs no page its length: %s",
      ([, set], context) =>
        onStore(
          harness,
          async (scene) => {
            await damaged(scene, set);
            const { id, store } = scene;
            expect(ends(scene, await scene.scan(null, 3))).toEqual(["", ".0", ".2"]);
            const all = { roots: false, rootId: id, after: null } as const;
            expect(ends(scene, await store.list({ ...all, limit: 2 }))).toEqual([".4", ".3"]);
            expect(ends(scene, await store.list({ ...all, limit: 5 }))).toEqual([".4", ".3", ".2", ".0", ""]);
            const demand = { workerId: "w", slots: 3, tasks: new Map([[sampleTask(id).name, 3]]) };
            expect(ends(scene, await scene.ask((tx) => tx.ready(demand)))).toEqual([".0", ".2", ".3"]);
            const some = [".0", ".1", ".2"].map((end) => id + end);
            expect(ends(scene, await scene.ask((tx) => tx.read(some))).toSorted()).toEqual([".0", ".2"]);
          },
          "editable",
        )(context),
    );

    test.for(DAMAGES)("is a damage of the store: %s", ([, set, says], context) =>
      onStore(
        harness,
        async (scene) => {
          await damaged(scene, set);
          expect(await scene.damage()).toEqual([{ id: `${scene.id}.1`, message: says }]);
        },
        "editable",
      )(context),
    );

    test(
      "is left out of its children, and the page is as long as it can be",
      onStore(
        harness,
        async (scene) => {
          await damaged(scene, "tags = '{'");
          const query = { parentId: scene.id, of: "children", after: null, limit: 3 } as const;
          expect(ends(scene, await scene.store.children(query))).toEqual([".0", ".2", ".3"]);
        },
        "editable",
      ),
    );

    test(
      "is left out of a window, which is as long as it can be",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          await scene.insert(swarm, ...sampleItems(swarm, 5));
          await scene.edit(`UPDATE signatures SET tags = '{' WHERE id = '${scene.id}.1'`);
          for (const what of ["start", "skip"] as const) {
            const window = await scene.ask((tx) => tx.window({ id: scene.id, what, limit: 3 }));
            expect(ends(scene, window)).toEqual([".0", ".2", ".3"]);
          }
        },
        "editable",
      ),
    );

    test(
      "is left out of what is due, of what waits and of what is awaited",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          const due = { status: "WAITING", readyAt: null, dueAt: 1 } as const;
          await scene.insert(swarm, ...sampleItems(swarm, 3, due));
          await scene.edit(`UPDATE signatures SET error = '{' WHERE id = '${scene.id}.0'`);
          expect(ends(scene, await scene.ask((tx) => tx.due(1_000)))).toEqual([".1", ".2"]);
          expect((await scene.store.awaited([scene.id])).get(scene.id) ?? []).toEqual([]);
          await scene.edit(`UPDATE signatures SET family = '{' WHERE id = '${scene.id}'`);
          expect(scene.own(await scene.store.unsettled({ after: null, limit: 1_000 }))).toEqual([]);
        },
        "editable",
      ),
    );

    test(
      "as what others stand below is not in the way of locking those",
      onStore(
        harness,
        async (scene) => {
          await damaged(scene, "tags = NULL");
          const child = `${scene.id}.0`;
          await scene.edit(`UPDATE signatures SET family = '{' WHERE id = '${scene.id}'`);
          const read = await scene.ask(async (tx) => {
            await tx.lock([child], { wait: true });
            return tx.read([scene.id]);
          });
          expect(read).toEqual([]);
          await scene.edit(`DELETE FROM signatures WHERE id = '${scene.id}'`);
          const missing = await scene.ask(async (tx) => {
            await tx.lock([child], { wait: true });
            return tx.read([scene.id]);
          });
          expect(missing).toEqual([]);
        },
        "editable",
      ),
    );
  });

  describe("damage beside records", () => {
    test.for<readonly [string, (id: string) => string, string, RegExp]>([
      [
        "a spec that is no JSON",
        (id) => `UPDATE specs SET body = '{' WHERE root_id = '${id}'`,
        "",
        /its spec "0" is not JSON/,
      ],
      [
        "a journal that is no JSON",
        (id) => `UPDATE journal SET body = '[' WHERE root_id = '${id}' AND seq = 2`,
        "",
        /^entry 2 of its journal is not JSON$/,
      ],
      [
        "a journal with a gap",
        (id) => `DELETE FROM journal WHERE root_id = '${id}' AND seq = 2`,
        "",
        /jumps to entry 3, but 2 comes next/,
      ],
      [
        "a journal without its beginning",
        (id) => `DELETE FROM journal WHERE root_id = '${id}' AND seq = 1`,
        "",
        /jumps to entry 2, but 1/,
      ],
      [
        "a journal that counts wrong",
        (id) => `UPDATE journal SET count = 7 WHERE root_id = '${id}' AND seq = 3`,
        "",
        /the 7 entries from 3 on/,
      ],
      ["a draft of what is stored", (id) => `INSERT INTO drafts VALUES ('${id}', 1)`, "", /hidden/],
      ["what is hidden, but not removed", (id) => `INSERT INTO drafts VALUES ('${id}', -1)`, "", /hidden/],
      [
        "a tombstone of what is stored",
        (id) =>
          `INSERT INTO tombstones VALUES ('${id}', 'x', 'swarm', 'SUCCEEDED', 1, 'delete', 'me', NULL, NULL)`,
        "",
        /tombstone/,
      ],
      ["lost births", (id) => `DELETE FROM births WHERE root_id = '${id}'`, "", /lists of what is inside it/],
      ["lost tags", (id) => `DELETE FROM root_tags WHERE root_id = '${id}'`, "", /lists by its tag/],
      [
        "a step that is no JSON",
        (id) => `UPDATE steps SET result = '{' WHERE id = '${id}.0'`,
        ".0",
        /step "a" is not JSON/,
      ],
      [
        "a checkpoint that is no JSON",
        (id) => `UPDATE checkpoints SET body = '{' WHERE id = '${id}.0'`,
        ".0",
        /checkpoint is not JSON/,
      ],
      [
        "a progress that is no JSON",
        (id) => `UPDATE progress SET body = '{' WHERE id = '${id}.0'`,
        ".0",
        /progress is not JSON/,
      ],
      [
        "a worker that is no JSON",
        (id) => `UPDATE workers SET tasks = '{' WHERE id = '${id}w'`,
        "w",
        /session/,
      ],
    ])("%s is told of", ([, sql, end, says], context) =>
      onStore(
        harness,
        async (scene) => {
          const { id } = scene;
          await everything(scene);
          expect(await scene.damage()).toEqual([]);
          await scene.edit(sql(id));
          expect(await scene.damage()).toEqual([{ id: id + end, message: expect.stringMatching(says) }]);
        },
        "editable",
      )(context),
    );

    test(
      "in a journal, a progress and a session is named where they are read, and costs nobody else anything",
      onStore(
        harness,
        async (scene) => {
          const { id, store } = scene;
          await everything(scene);
          await scene.write({ workers: [sampleWorker(`${id}v`, { leaseUntil: LONG_AGO })] });
          await scene.edit(
            `UPDATE journal SET body = '[' WHERE root_id = '${id}'; UPDATE progress SET body = '{' WHERE id = '${id}.0';
             UPDATE workers SET tasks = '{' WHERE id = '${id}w'`,
          );
          const journal = store.journal({ rootId: id, after: 0, limit: 1 });
          await expect(journal).rejects.toMatchObject({ code: "STORE_CORRUPT", id });
          const notes = store.notes(`${id}.0`, 1);
          await expect(notes).rejects.toMatchObject({ code: "STORE_CORRUPT", id: `${id}.0` });
          expect(ends(scene, await store.workers(100))).toEqual(["v"]);
          expect(ends(scene, await scene.ask((tx) => tx.lapsed(100)))).toEqual(["v"]);
        },
        "editable",
      ),
    );

    test(
      "no more is told than the limit",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          await scene.insert(swarm, ...sampleItems(swarm, 5));
          await scene.edit(`UPDATE signatures SET tags = '{' WHERE parent_id = '${scene.id}'`);
          expect(await scene.store.damage(3)).toHaveLength(3);
          expect(await scene.damage()).toHaveLength(5);
        },
        "editable",
      ),
    );
  });
}

/** Something in each table that damage may be in. */
async function everything(scene: Scene): Promise<void> {
  const { id } = scene;
  const swarm = sampleSwarm(id, { tags: ["a tag"] });
  const item = { id: `${id}.0`, generation: 1 };
  await scene.write({
    insert: [swarm, ...sampleItems(swarm, 3)],
    specs: [{ rootId: id, id: "0", body: "{}" }],
    journal: new Map([[id, [sampleEntry(id)]]]),
    steps: [{ ...item, name: "a", result: "1" }],
    checkpoints: [{ ...item, body: "1" }],
    progress: [{ ...item, progress: { fraction: 0.5, note: null } }],
    workers: [sampleWorker(`${id}w`, { leaseUntil: LONG_AGO })],
  });
  for (let entry = 2; entry <= 3; entry++) await scene.write({ journal: new Map([[id, [sampleEntry(id)]]]) });
}
