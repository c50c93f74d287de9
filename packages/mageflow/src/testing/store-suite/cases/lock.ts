import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { StoreHarness } from "../harness.ts";
import { hold } from "../hold.ts";
import {
  fullRecord,
  sampleCallback,
  sampleChild,
  sampleItems,
  sampleReady,
  sampleSwarm,
  sampleTask,
} from "../sample-record.ts";
import { onStore } from "../scene.ts";

export function lockCases(harness: StoreHarness): void {
  describe("lock", () => {
    test.for([true, false])("reads records as they are now, wait: %s", (wait, context) =>
      onStore(harness, async (scene) => {
        const record = fullRecord(scene.id);
        await scene.insert(record);
        await scene.update({ ...record, epoch: 1 });
        const locked = await scene.ask((tx) => tx.lock([scene.id], { wait }));
        expect(locked).toEqual({ records: [{ ...record, epoch: 1 }], busy: [] });
      })(context),
    );

    test.for([true, false])("leaves out what does not exist, wait: %s", (wait, context) =>
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        const ids = [`${scene.id}none`, scene.id];
        const { records, busy } = await scene.ask((tx) => tx.lock(ids, { wait }));
        expect(records.map(({ id }) => id)).toEqual([scene.id]);
        expect(busy).toEqual([]);
      })(context),
    );

    test(
      "takes 1,000 records at once",
      onStore(harness, async (scene) => {
        const items = sampleItems(sampleSwarm(scene.id), 1_000);
        await scene.insert(...items);
        const ids = items.map(({ id }) => id);
        const { records } = await scene.ask((tx) => tx.lock(ids, { wait: true }));
        expect(new Set(records.map(({ id }) => id))).toEqual(new Set(ids));
      }),
    );

    test(
      "what a transaction has locked it can lock and read again",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        await scene.ask(async (tx) => {
          await tx.lock([scene.id], { wait: true });
          const again = await tx.lock([scene.id], { wait: false });
          expect(again.records).toHaveLength(1);
          expect(again.busy).toEqual([]);
          expect(await tx.read([scene.id])).toHaveLength(1);
        });
      }),
    );

    test(
      "a lock ends with its transaction, also when that fails",
      onStore(harness, async (scene) => {
        await scene.insert(sampleTask(scene.id));
        const failed = scene.ask(async (tx) => {
          await tx.lock([scene.id], { wait: true });
          throw new Error("stop");
        });
        await expect(failed).rejects.toThrow("stop");
        const { busy } = await scene.ask((tx) => tx.lock([scene.id], { wait: false }));
        expect(busy).toEqual([]);
      }),
    );

    test(
      "without waiting, what another transaction holds is busy",
      onStore(
        harness,
        async (scene) => {
          const free = `${scene.id}free`;
          await scene.insert(sampleTask(scene.id), sampleTask(free));
          const held = await hold(scene.store, (tx) => tx.lock([scene.id], { wait: true }));
          const locked = await scene.ask((tx) => tx.lock([scene.id, free, `${free}none`], { wait: false }));
          held.end();
          await held.ended;
          expect(locked.busy).toEqual([scene.id]);
          expect(locked.records.map(({ id }) => id)).toEqual([free]);
        },
        "rowLocks",
      ),
    );

    test(
      "without waiting, leaves as busy a task below what has changed since the transaction read it",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          const item = sampleChild(swarm, 0, { status: "RUNNING", workerId: "w" });
          const callback = sampleCallback(swarm, "success", 0, { status: "READY", readyAt: 1 });
          const last = sampleChild(swarm, 1, { status: "RUNNING", workerId: "v" });
          await scene.insert(swarm, item, last);
          const seen = await scene.ask(async (tx) => {
            await tx.lock([item.id], { wait: true });
            await tx.read([swarm.id]);
            await scene.ask(async (other) => {
              await other.lock([last.id], { wait: true });
              await other.lock([swarm.id], { wait: false });
              await other.write({ update: [{ ...swarm, status: "SUCCEEDED" }], insert: [callback] });
            });
            return tx.lock([callback.id], { wait: false });
          });
          expect(seen).toEqual({ records: [], busy: [callback.id] });
          const next = await scene.ask((tx) => tx.lock([callback.id], { wait: false }));
          expect(next).toEqual({ records: [callback], busy: [] });
        },
        "rowLocks",
      ),
    );

    test(
      "also when the transaction has only read it, and takes what is ready",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          const last = sampleChild(swarm, 0, { status: "RUNNING", workerId: "v" });
          const ready = { status: "READY", readyAt: 1, name: scene.id } as const;
          const callback = sampleCallback(swarm, "success", 0, ready);
          await scene.insert(swarm, last);
          const demand = { workerId: "w", slots: 1, tasks: new Map([[scene.id, 1]]) };
          const seen = await scene.ask(async (tx) => {
            await tx.read([swarm.id]);
            await scene.ask(async (other) => {
              await other.lock([last.id], { wait: true });
              await other.lock([swarm.id], { wait: false });
              await other.write({ update: [{ ...swarm, status: "SUCCEEDED" }], insert: [callback] });
            });
            return { ready: await tx.ready(demand), locked: await tx.lock([callback.id], { wait: false }) };
          });
          expect(seen).toEqual({ ready: [], locked: { records: [], busy: [callback.id] } });
          expect(await scene.ask((tx) => tx.ready(demand))).toEqual([callback]);
        },
        "rowLocks",
      ),
    );

    test(
      "without waiting, takes a task below what has only counted since",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          const [item, other] = [0, 1].map((n) => sampleChild(swarm, n, { status: "READY", readyAt: 1 }));
          await scene.insert(swarm, item!, other!);
          const seen = await scene.ask(async (tx) => {
            await tx.read([swarm.id]);
            await scene.ask(async (beside) => {
              await beside.lock([other!.id], { wait: true });
              const [counted] = (await beside.lock([swarm.id], { wait: false })).records;
              const family = { ...counted!.family!, active: 7 };
              await beside.write({ update: [{ ...counted!, family }] });
            });
            return tx.lock([item!.id], { wait: false });
          });
          expect(seen).toEqual({ records: [item], busy: [] });
        },
        "rowLocks",
      ),
    );

    test(
      "takes nothing below a swarm that has passed its limit since",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          const last = sampleChild(swarm, 0, { status: "RUNNING", workerId: "v" });
          const item = sampleChild(swarm, 1, { status: "READY", readyAt: 1, name: scene.id });
          await scene.insert(swarm, last, item);
          const demand = { workerId: "w", slots: 1, tasks: new Map([[scene.id, 1]]) };
          const seen = await scene.ask(async (tx) => {
            await tx.read([swarm.id]);
            await scene.ask(async (other) => {
              await other.lock([last.id], { wait: true });
              await other.lock([swarm.id], { wait: false });
              const family = { ...swarm.family!, failed: 1, stopping: true };
              await other.write({ update: [{ ...swarm, family }] });
            });
            return tx.ready(demand);
          });
          expect(seen).toEqual([]);
          expect(await scene.ask((tx) => tx.ready(demand))).toEqual([item]);
        },
        "rowLocks",
      ),
    );

    test(
      "a container that lets go sees what was just being held by it",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id, { status: "SUSPENDED", prior: "RUNNING" });
          const item = sampleChild(swarm, 0, { status: "READY", readyAt: 1 });
          const last = sampleChild(swarm, 1, { status: "RUNNING", workerId: "w" });
          await scene.insert(swarm, item, last);
          const held = await hold(scene.store, async (tx) => {
            await tx.lock([item.id], { wait: false });
            await tx.read([swarm.id]);
            await tx.write({ update: [{ ...item, status: "PENDING", heldBy: swarm.id }] });
          });
          const letGo = (): Promise<readonly string[]> =>
            scene.ask(async (tx) => {
              await tx.lock([last.id], { wait: true });
              const { busy } = await tx.lock([swarm.id], { wait: false });
              if (busy.length > 0) return busy;
              return (await tx.window({ id: swarm.id, what: "unhold", limit: 10 })).map(({ id }) => id);
            });
          expect(await letGo()).toEqual([swarm.id]);
          held.end();
          await held.ended;
          expect(await letGo()).toEqual([item.id]);
        },
        "rowLocks",
      ),
    );

    test.for([
      ["", null],
      [", also when the transaction has locked that since", { wait: false }],
    ] as const)(
      "nothing is held by what has let go since the transaction read it%s",
      ([, locking], context) =>
        onStore(
          harness,
          async (scene) => {
            const swarm = sampleSwarm(scene.id, { status: "SUSPENDED", prior: "RUNNING" });
            const item = sampleChild(swarm, 0, { status: "READY", readyAt: 1 });
            const last = sampleChild(swarm, 1, { status: "RUNNING", workerId: "w" });
            await scene.insert(swarm, item, last);
            const written = scene.ask(async (tx) => {
              await tx.lock([item.id], { wait: true });
              await tx.read([swarm.id]);
              await scene.ask(async (other) => {
                await other.lock([last.id], { wait: true });
                await other.lock([swarm.id], { wait: true });
                await other.write({ update: [{ ...swarm, status: "RUNNING", prior: null }] });
              });
              if (locking !== null) await tx.lock([swarm.id], locking);
              await tx.write({ update: [{ ...item, status: "PENDING", heldBy: swarm.id }] });
            });
            await expect(written).rejects.toMatchObject({ code: "STORE_BUSY" });
            expect(await scene.get(item.id)).toEqual(item);
          },
          "rowLocks",
        )(context),
    );

    test(
      "with waiting, it sees what the other transaction wrote",
      onStore(
        harness,
        async (scene) => {
          await scene.insert(sampleTask(scene.id));
          const held = await hold(scene.store, async (tx) => {
            const { records } = await tx.lock([scene.id], { wait: true });
            await tx.write({ update: records.map((record) => ({ ...record, epoch: 9 })) });
          });
          const waiting = scene.ask((tx) => tx.lock([scene.id], { wait: true }));
          held.end();
          await held.ended;
          expect((await waiting).records[0]?.epoch).toBe(9);
        },
        "rowLocks",
      ),
    );

    test(
      "also what that has brought to its end",
      onStore(
        harness,
        async (scene) => {
          const task = sampleTask(scene.id, { status: "RUNNING", workerId: "w" });
          await scene.insert(task);
          const ended = { ...task, status: "SUCCEEDED", workerId: null, milestone: 3, credited: 3 } as const;
          const held = await hold(scene.store, async (tx) => {
            await tx.lock([scene.id], { wait: true });
            await tx.write({ update: [ended] });
          });
          const waiting = scene.ask((tx) => tx.lock([scene.id], { wait: true }));
          await sleep(200);
          held.end();
          await held.ended;
          expect((await waiting).records).toEqual([ended]);
        },
        "rowLocks",
      ),
    );

    test(
      "reading does not wait for a lock",
      onStore(
        harness,
        async (scene) => {
          await scene.insert(sampleTask(scene.id));
          const held = await hold(scene.store, async (tx) => {
            const { records } = await tx.lock([scene.id], { wait: true });
            await tx.write({ update: records.map((record) => ({ ...record, epoch: 9 })) });
          });
          const outside = await scene.get(scene.id);
          const inside = await scene.ask((tx) => tx.read([scene.id]));
          held.end();
          await held.ended;
          expect(outside?.epoch).toBe(0);
          expect(inside[0]?.epoch).toBe(0);
        },
        "rowLocks",
      ),
    );

    test(
      "a container that was busy at first has what is startable when it has been waited for",
      onStore(
        harness,
        async (scene) => {
          const swarm = sampleSwarm(scene.id);
          const [ended, other] = [0, 1].map((n) =>
            sampleChild(swarm, n, { status: "RUNNING", workerId: "w" }),
          );
          const next = sampleChild(swarm, 2);
          await scene.insert(swarm, ended!, other!, next);
          const held = await hold(scene.store, async (tx) => {
            await tx.lock([other!.id], { wait: true });
            await tx.lock([swarm.id], { wait: false });
          });
          const found = await scene.ask(async (tx) => {
            await tx.lock([ended!.id], { wait: true });
            await tx.read([swarm.id]);
            const { busy } = await tx.lock([swarm.id], { wait: false });
            expect(busy).toEqual([swarm.id]);
            held.end();
            await held.ended;
            await tx.lock(busy, { wait: true });
            return tx.window({ id: swarm.id, what: "start", limit: 1 });
          });
          expect(found).toEqual([next]);
        },
        "rowLocks",
      ),
    );

    test(
      "two workers that take at the same time take different tasks",
      onStore(
        harness,
        async (scene) => {
          const tasks = Array.from({ length: 10 }, (_, n) =>
            sampleReady(`${scene.id}${n}`, { name: scene.id }),
          );
          await scene.insert(...tasks);
          const demand = { workerId: scene.id, slots: 5, tasks: new Map([[scene.id, 5]]) };
          let first: string[] = [];
          const held = await hold(scene.store, async (tx) => {
            first = (await tx.ready(demand)).map(({ id }) => id);
          });
          const second = (await scene.ask((tx) => tx.ready(demand))).map(({ id }) => id);
          held.end();
          await held.ended;
          expect(new Set([...first, ...second])).toHaveProperty("size", 10);
        },
        "rowLocks",
      ),
    );
  });
}
