import { expect, test } from "vitest";
import { z } from "zod";
import { type AnyPlan, chain, swarm, SwarmClosedError, ValidationError } from "../../src/index.ts";
import { gate } from "./gate.ts";
import { happened } from "./happened.ts";
import { onEachStore } from "./on-each-store.ts";

onEachStore("an open swarm", (open) => {
  test("runs until it is closed and its last item has ended", async () => {
    const mage = open();
    const item = mage.task("item", ({ n }: { n: number }) => n * 2);
    await mage.worker();
    const run = await mage.run(swarm([item.with({ n: 1 })], { open: true }));
    await happened(run, "succeeded", `${run.id}.0`);
    expect((await run.status()).status).toBe("RUNNING");
    const added = await run.addTaskAndRun(item.with({ n: 2 }));
    expect(added.id).toBe(`${run.id}.1`);
    expect(await added.result()).toBe(4);
    const [third, fourth] = await run.addTasks([item.with({ n: 3 }), item.with({ n: 4 })]);
    expect(await third!.result()).toBe(6);
    expect(await fourth!.result()).toBe(8);
    expect((await run.status()).status).toBe("RUNNING");
    await run.close();
    await run.close();
    expect(await run.result()).toMatchObject({ total: 4, succeeded: 4 });
  });

  test("that never got an item succeeds when it is closed", async () => {
    const mage = open();
    await mage.worker();
    const run = await mage.run(swarm([], { open: true }));
    await run.close();
    expect(await run.result()).toMatchObject({ total: 0 });
  });

  test("gives added items its own input and its item callbacks", async () => {
    const mage = open();
    const seen: unknown[] = [];
    const item = mage.task("item", (input: unknown) => input as { n: number; base: number });
    const note = mage.task("note", (input: unknown) => void seen.push(input));
    await mage.worker();
    const run = await mage.run(swarm<typeof item>([], { open: true, onItemSuccess: note }).with({ base: 1 }));
    await run.addTasks([item.with({ n: 1 }), chain([item.with({ n: 2 })])]);
    await run.close();
    await run.settled();
    expect(seen).toEqual(
      expect.arrayContaining([
        { n: 1, base: 1 },
        { n: 2, base: 1 },
      ]),
    );
    expect(seen).toHaveLength(2);
  });

  test("keeps its concurrency for added items", async () => {
    const mage = open();
    const { wait, open: letGo } = gate();
    const item = mage.task("item", () => wait());
    await mage.worker();
    const run = await mage.run(swarm([], { open: true, concurrency: 2 }));
    await run.addTasks(Array.from({ length: 5 }, () => item));
    await happened(run, "started", `${run.id}.1`);
    expect(await run.counts()).toMatchObject({ running: 2, pending: 3 });
    letGo();
    await run.close();
    expect(await run.result()).toMatchObject({ succeeded: 5 });
  });

  test("takes an item of one key once, also from two callers at the same time", async () => {
    const mage = open();
    const other = open();
    const ran: number[] = [];
    const item = mage.task("item", ({ n }: { n: number }) => void ran.push(n));
    await mage.worker();
    const run = await mage.run(swarm([item.with({ n: 0 }).keyed("a")], { open: true }));
    const handle = await other.get(run.id);
    const [one, two] = await Promise.all([
      run.addTasks([item.with({ n: 1 }).keyed("a"), item.with({ n: 2 }).keyed("b")]),
      handle.addTasks([item.with({ n: 3 }).keyed("b"), item.with({ n: 4 })]),
    ]);
    expect(one[0]!.id).toBe(`${run.id}.0`);
    expect(one[1]!.id).toBe(two[0]!.id);
    await run.close();
    await run.settled();
    expect(ran).toHaveLength(3);
    expect(ran).toContain(0);
    expect(ran).toContain(4);
  });

  test("refuses items beyond maxTasks, all or none", async () => {
    const mage = open();
    const item = mage.task("item", () => 1);
    const run = await mage.run(swarm([item], { open: true, maxTasks: 3 }));
    await run.addTasks([item]);
    await expect(run.addTasks([item, item])).rejects.toThrow(SwarmClosedError);
    expect((await run.counts()).total).toBe(2);
    await run.addTasks([item]);
    await expect(run.addTasks([item])).rejects.toMatchObject({ code: "SWARM_CLOSED" });
  });

  test("refuses items once it is closed, and so does one that was never open", async () => {
    const mage = open();
    const item = mage.task("item", () => 1);
    const run = await mage.run(swarm([item], { open: true }));
    await run.close();
    await expect(run.addTasks([item])).rejects.toThrow(SwarmClosedError);
    const closed = await mage.run(swarm([item]));
    await expect(closed.addTaskAndRun(item)).rejects.toThrow(SwarmClosedError);
    await closed.close();
    const task = await mage.run(item);
    await expect(task.addTasks([item])).rejects.toMatchObject({ code: "ILLEGAL_TRANSITION" });
    await expect(task.close()).rejects.toMatchObject({ code: "ILLEGAL_TRANSITION" });
  });

  test("refuses items once it has failed", async () => {
    const mage = open();
    const fail = mage.task("fail", () => {
      throw new Error("no");
    });
    await mage.worker();
    const run = await mage.run(swarm([fail], { open: true, stopAfterFailures: 0 }));
    expect((await run.settled()).status).toBe("FAILED");
    await expect(run.addTasks([fail])).rejects.toThrow(SwarmClosedError);
  });

  test("that was only created starts by addTaskAndRun, not by addTasks", async () => {
    const mage = open();
    const item = mage.task("item", () => "ran");
    await mage.worker();
    const run = await mage.create(swarm([], { open: true }));
    await run.addTasks([item]);
    expect((await run.status()).status).toBe("PENDING");
    const added = await run.addTaskAndRun(item);
    expect(await added.result()).toBe("ran");
    await run.close();
    expect(await run.result()).toMatchObject({ succeeded: 2 });
  });

  test("that is suspended takes items and holds them", async () => {
    const mage = open();
    const item = mage.task("item", () => "ran");
    await mage.worker();
    const run = await mage.run(swarm([], { open: true }));
    await run.suspend();
    const [added] = await run.addTasks([item]);
    expect(await added!.status()).toMatchObject({ status: "PENDING", heldBy: run.id });
    await run.resume();
    expect(await added!.result()).toBe("ran");
    await run.close();
    expect(await run.result()).toMatchObject({ succeeded: 1 });
  });

  test("takes items that a task inside it adds", async () => {
    const mage = open();
    const visit = mage.task("visit", async ({ depth }: { depth: number }, ctx) => {
      const swarmRun = await mage.get(ctx.signature.parentId!);
      if (depth > 0) {
        const next = visitAgain.with({ depth: depth - 1 });
        await swarmRun.addTasks([next.keyed(`${ctx.id}a`), next.keyed(`${ctx.id}b`)]);
      }
    });
    const visitAgain = visit;
    await mage.worker();
    const run = await mage.run(swarm([visit.with({ depth: 3 })], { open: true }));
    for await (const { type } of run.events({ since: 0 })) {
      if (type === "succeeded" && (await run.counts()).succeeded === 15) break;
    }
    await run.close();
    expect(await run.result()).toMatchObject({ total: 15, succeeded: 15 });
  });

  test("checks added items like submitted ones, when all that comes in is known", async () => {
    const mage = open();
    const item = mage.task("item", { input: z.object({ n: z.int(), m: z.int() }) }, ({ n, m }) => n + m);
    const first = mage.task("first", () => ({ m: 2 }));
    const plan = swarm<AnyPlan>([], { open: true });
    const bad = item.with({ n: "text" as never });
    await mage.worker();
    const run = await mage.run(plan.with({ m: 1 }));
    for (const items of [[item.with({ n: 1 }), bad], [item], [chain([item])]]) {
      await expect(run.addTasks(items)).rejects.toThrow(ValidationError);
    }
    expect((await run.counts()).total).toBe(0);
    const [good] = await run.addTasks([item.with({ n: 1 })]);
    expect(await good!.result()).toBe(2);
    await run.close();

    const messaged = await mage.run(plan, { m: 5 });
    await expect(messaged.addTasks([bad])).rejects.toThrow(ValidationError);
    const [five] = await messaged.addTasks([item.with({ n: 5 })]);
    expect(await five!.result()).toBe(10);
    await messaged.close();

    const later = await mage.run(chain([first, plan]));
    const inner = await mage.get(`${later.id}.1`);
    const [three] = await inner.addTasks([item.with({ n: 1 })]);
    expect(await three!.result()).toBe(3);
    await inner.close();

    const created = await mage.create(plan);
    const [waiting] = await created.addTasks([item.with({ n: 1 })]);
    await created.start({ m: 6 });
    expect(await waiting!.result()).toBe(7);
    await created.close();
  });

  test("refuses more at once than one transaction should hold, and what is no plan", async () => {
    const mage = open();
    const item = mage.task("item", () => 1);
    const run = await mage.run(swarm([], { open: true }));
    const times = <T>(n: number, plan: T): T[] => Array.from({ length: n }, () => plan);
    for (const [items, message] of [
      [times(10_001, item), "at most 10000 items; add them in several calls"],
      [times(100, chain(times(200, item))), "100 items are more than 20000 signatures"],
      [
        [chain(times(20_000, item))],
        "one item is more than 20000 signatures with what is inside; add a task",
      ],
      [[null], "item 0 to add is null, not a plan"],
      [[item, {}], "item 1 to add is an object, not a plan"],
      [item, "the items to add are an object; give an array of plans"],
      [null, "the items to add are null"],
      [3, "the items to add are 3"],
    ] as const) {
      await expect(run.addTasks(items as never)).rejects.toMatchObject({
        code: "INVALID_PLAN",
        message: expect.stringContaining(message),
      });
    }
    expect((await run.counts()).total).toBe(0);
    expect(await run.addTasks(times(10_000, item))).toHaveLength(10_000);
  });
});
