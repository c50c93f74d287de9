import { describe, expect, test } from "vitest";
import type { Changes } from "../../../ports/store.ts";
import type { StoreHarness } from "../harness.ts";
import { sampleEntry } from "../sample-entry.ts";
import { sampleLog } from "../sample-log.ts";
import { sampleChild, sampleSwarm, sampleTask } from "../sample-record.ts";
import { sampleWorker } from "../sample-worker.ts";
import { onStore, type Scene } from "../scene.ts";

/** Something of every part of {@link Changes}, for a root that exists and another that does not. */
function everything(id: string): Changes {
  const other = `${id}other`;
  return {
    insert: [sampleTask(other, { key: other, tags: [other] })],
    update: [sampleTask(id, { status: "READY", readyAt: 1 })],
    specs: [{ rootId: id, id: "0", body: "{}" }],
    journal: new Map([[id, [sampleEntry(id)]]]),
    logs: [sampleLog(id, "line")],
    steps: [{ id, generation: 1, name: "fetch", result: "1" }],
    checkpoints: [{ id, generation: 1, body: "2" }],
    progress: [{ id, generation: 1, progress: { fraction: 1, note: null } }],
    workers: [sampleWorker(id)],
    stamp: { by: id, n: 1 },
  };
}

async function expectNothing(scene: Scene): Promise<void> {
  const { id, store } = scene;
  const other = `${id}other`;
  expect(await store.get([id, other])).toEqual([sampleTask(id)]);
  expect(await store.byKey(other)).toBeNull();
  expect(await store.list({ roots: true, tag: other, after: null, limit: 9 })).toEqual([]);
  expect(await store.specs([{ rootId: id, id: "0" }])).toEqual([]);
  expect(await store.lastSeq(id)).toBe(0);
  expect(await store.journal({ rootId: id, after: 0, limit: 9 })).toEqual([]);
  expect(await store.logs({ id, after: 0, limit: 9 })).toEqual([]);
  expect(await store.notes(id, 1)).toEqual({ steps: new Map(), checkpoint: null, progress: null });
  expect(scene.own(await store.workers(100))).toEqual([]);
  expect(await store.stamped(id)).toBe(0);
  expect((await store.readyNames()).has(sampleTask(id).name)).toBe(false);
}

export function transactCases(harness: StoreHarness): void {
  describe("transact", () => {
    test(
      "returns what the work returns",
      onStore(harness, async ({ store }) => {
        const answer = { any: "thing" };
        expect(await store.transact(async () => answer)).toBe(answer);
      }),
    );

    test(
      "lets the error of the work through as it is",
      onStore(harness, async ({ store }) => {
        const error = new RangeError("of the work");
        await expect(store.transact(() => Promise.reject(error))).rejects.toBe(error);
      }),
    );

    test(
      "lets an error through that the work throws before it waits for anything",
      onStore(harness, async ({ store }) => {
        const work = store.transact(() => {
          throw new RangeError("at once");
        });
        await expect(work).rejects.toThrow("at once");
      }),
    );

    test(
      "all changes land together",
      onStore(harness, async (scene) => {
        const { id, store } = scene;
        await scene.insert(sampleTask(id));
        await scene.write(everything(id));
        expect(await store.get([id, `${id}other`])).toHaveLength(2);
        expect(await store.specs([{ rootId: id, id: "0" }])).toHaveLength(1);
        expect(await store.lastSeq(id)).toBe(1);
        expect(await store.logs({ id, after: 0, limit: 9 })).toHaveLength(1);
        expect((await store.notes(id, 1)).checkpoint).toBe("2");
        expect(scene.own(await store.workers(100))).toHaveLength(1);
        expect(await store.stamped(id)).toBe(1);
      }),
    );

    test(
      "when the work throws after it wrote, nothing of it is kept",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        const work = scene.store.transact(async (tx) => {
          await tx.lock([scene.id], { wait: true });
          await tx.write(everything(scene.id));
          throw new Error("stop");
        });
        await expect(work).rejects.toThrow("stop");
        await expectNothing(scene);
      }),
    );

    test(
      "of several writes none is kept when the work throws",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        const work = scene.store.transact(async (tx) => {
          await tx.lock([scene.id], { wait: true });
          const { insert, ...rest } = everything(scene.id);
          await tx.write({ insert: insert! });
          await tx.write(rest);
          throw new Error("stop");
        });
        await expect(work).rejects.toThrow("stop");
        await expectNothing(scene);
      }),
    );

    test(
      "nobody sees what is thrown away, not even meanwhile",
      onStore(harness, async (scene) => {
        let meanwhile: Promise<unknown> | undefined;
        const work = scene.store.transact(async (tx) => {
          await tx.write({ insert: [sampleTask(scene.id)] });
          meanwhile = scene.store.get([scene.id]);
          throw new Error("stop");
        });
        await expect(work).rejects.toThrow("stop");
        expect(await meanwhile).toEqual([]);
      }),
    );

    test.for([
      ["an id that exists", (id: string) => sampleTask(id)],
      ["an idempotency key that exists", (id: string) => sampleTask(`${id}second`, { key: id })],
      ["an id twice in one write", (id: string) => sampleTask(`${id}other`)],
    ] as const)("%s fails, and nothing is kept", ([, clash], context) =>
      onStore(harness, async (scene) => {
        const { id } = scene;
        await scene.insert(sampleTask(id), sampleTask(`${id}first`, { key: id }));
        const changes = everything(id);
        const write = scene.write({ ...changes, insert: [...changes.insert!, clash(id)] });
        await expect(write).rejects.toThrow(Error);
        await expectNothing(scene);
      })(context),
    );

    test(
      "an item key that exists in the swarm fails, and nothing is kept",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, sampleChild(swarm, 0, { key: "a" }));
        const late = [sampleChild(swarm, 1, { key: "b" }), sampleChild(swarm, 2, { key: "a" })];
        await expect(scene.insert(...late)).rejects.toThrow(Error);
        const query = { parentId: swarm.id, of: "children", after: null, limit: 9 } as const;
        expect(await scene.store.children(query)).toHaveLength(1);
      }),
    );

    test(
      "a spec that exists fails, and nothing is kept",
      onStore(harness, async (scene) => {
        const { id } = scene;
        const spec = { rootId: id, id: "0", body: "{}" };
        await scene.write({ specs: [spec] });
        const clash = scene.write({ insert: [sampleTask(id)], specs: [{ ...spec, body: "[]" }] });
        await expect(clash).rejects.toThrow(Error);
        expect(await scene.get(id)).toBeUndefined();
        expect(await scene.store.specs([spec])).toEqual([spec]);
      }),
    );

    test(
      "keys of items are unique within their swarm only",
      onStore(harness, async (scene) => {
        const one = sampleSwarm(`${scene.id}one`, { key: scene.id });
        const two = sampleSwarm(`${scene.id}two`);
        await scene.insert(
          one,
          two,
          sampleChild(one, 0, { key: scene.id }),
          sampleChild(two, 0, { key: scene.id }),
        );
        expect((await scene.store.byKey(scene.id))?.id).toBe(one.id);
      }),
    );

    test(
      "records without a key do not clash",
      onStore(harness, async (scene) => {
        const swarm = sampleSwarm(scene.id);
        await scene.insert(swarm, sampleTask(`${scene.id}x`), sampleChild(swarm, 0), sampleChild(swarm, 1));
        expect(await scene.scan(null, 9)).toHaveLength(4);
      }),
    );

    test(
      "the next transaction works after one that failed",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        await expect(scene.insert(sampleTask(scene.id))).rejects.toThrow(Error);
        await scene.insert(sampleTask(`${scene.id}next`));
        expect(await scene.get(`${scene.id}next`)).toBeDefined();
      }),
    );

    test(
      "time is whole milliseconds and stands still inside",
      onStore(harness, async (scene) => {
        await scene.ask(async (tx) => {
          const { now } = tx;
          expect(Number.isInteger(now)).toBe(true);
          expect(now).toBeGreaterThan(LATEST_BIRTH);
          await tx.read([scene.id]);
          expect(tx.now).toBe(now);
        });
      }),
    );

    test(
      "no update is lost between transactions that lock the same record",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        const increments = Array.from({ length: 20 }, () =>
          scene.store.transact(async (tx) => {
            const { records } = await tx.lock([scene.id], { wait: true });
            await tx.write({ update: records.map((record) => ({ ...record, epoch: record.epoch + 1 })) });
          }),
        );
        await Promise.all(increments);
        expect((await scene.get(scene.id))?.epoch).toBe(20);
      }),
    );

    test(
      "of many that insert the same id one wins",
      onStore(harness, async (scene) => {
        const tries = await Promise.allSettled(
          Array.from({ length: 10 }, (_, epoch) => scene.insert(sampleTask(scene.id, { epoch }))),
        );
        expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        expect((await scene.get(scene.id))?.epoch).toBe(
          tries.findIndex(({ status }) => status === "fulfilled"),
        );
      }),
    );

    test(
      "of many that insert the same idempotency key one wins",
      onStore(harness, async (scene) => {
        const tries = await Promise.allSettled(
          Array.from({ length: 10 }, (_, n) =>
            scene.insert(sampleTask(`${scene.id}${n}`, { key: scene.id })),
          ),
        );
        expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        expect(await scene.scan(null, 20)).toHaveLength(1);
      }),
    );

    test(
      "works for many callers at once",
      onStore(harness, async (scene) => {
        const ids = Array.from({ length: 100 }, (_, n) => `${scene.id}${n}`);
        await Promise.all(ids.map((id) => scene.insert(sampleTask(id))));
        expect(await scene.store.get(ids)).toHaveLength(100);
      }),
    );

    test(
      "two transactions over records in opposite orders both end",
      onStore(harness, async (scene) => {
        const ids = [`${scene.id}1`, `${scene.id}2`];
        await scene.insert(...ids.map((id) => sampleTask(id)));
        const bump = (order: string[]): Promise<void> =>
          scene.store.transact(async (tx) => {
            const { records } = await tx.lock(order, { wait: true });
            await tx.write({ update: records.map((record) => ({ ...record, epoch: record.epoch + 1 })) });
          });
        await Promise.all(Array.from({ length: 20 }, (_, n) => bump(n % 2 === 0 ? ids : ids.toReversed())));
        expect((await scene.store.get(ids)).map(({ epoch }) => epoch)).toEqual([20, 20]);
      }),
    );
  });
}

/** 2020: no clock that runs is behind it, and a clock in seconds would be. */
const LATEST_BIRTH = 1_577_836_800_000;
