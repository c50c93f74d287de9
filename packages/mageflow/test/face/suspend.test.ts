import { expect, test } from "vitest";
import {
  AlreadyRunningError,
  chain,
  IllegalTransitionError,
  type MageFlow,
  swarm,
  type TaskPlan,
  WaitTimeoutError,
} from "../../src/index.ts";
import { type Gate, gate } from "./gate.ts";
import { happened } from "./happened.ts";
import { onEachStore } from "./on-each-store.ts";

/** A task that waits at a gate of its own. */
function gated(mage: MageFlow, name = "gated"): { plan: TaskPlan<unknown, string, unknown>; at: Gate } {
  const at = gate();
  const plan = mage.task(name, async () => {
    await at.wait();
    return name;
  });
  return { plan, at };
}

onEachStore("suspend", (open) => {
  test("keeps a task from starting until it is resumed; result() waits through", async () => {
    const mage = open();
    const task = mage.task("task", () => "ran");
    const run = await mage.run(task);
    await run.suspend();
    await mage.worker();
    expect((await run.status()).status).toBe("SUSPENDED");
    await expect(run.result({ timeout: 30 })).rejects.toThrow(WaitTimeoutError);
    const result = run.result();
    await run.resume();
    expect(await result).toBe("ran");
  });

  test("keeps the message of a root that is started meanwhile, the first one", async () => {
    const mage = open();
    const echo = mage.task("echo", (input: unknown) => input as { n: number });
    await mage.worker();
    for (const plan of [echo, chain([echo])]) {
      const run = await mage.create(plan);
      await run.suspend();
      await run.start({ n: 1 });
      await run.start({ n: 2 });
      expect((await run.status()).status).toBe("SUSPENDED");
      await run.resume();
      expect(await run.result()).toEqual({ n: 1 });
    }
  });

  test("again is a no-op, and so is resuming again", async () => {
    const mage = open();
    const run = await mage.run(mage.task("task", () => 1));
    await run.suspend();
    await run.suspend();
    const seen: string[] = [];
    await run.resume();
    await run.resume();
    await mage.worker();
    await run.settled();
    for await (const { type } of run.events({ since: 0 })) seen.push(type);
    expect(seen.filter((type) => type === "suspended" || type === "resumed")).toEqual([
      "suspended",
      "resumed",
    ]);
  });

  test("refuses a task that runs", async () => {
    const mage = open();
    const { plan, at } = gated(mage);
    await mage.worker();
    const run = await mage.run(plan);
    await at.reached;
    const error = await run.suspend().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AlreadyRunningError);
    expect(error).toMatchObject({ code: "ALREADY_RUNNING", status: "RUNNING" });
    at.open();
    expect(await run.result()).toBe("gated");
  });

  test("refuses what has ended, and so does resume", async () => {
    const mage = open();
    await mage.worker();
    const run = await mage.run(mage.task("task", () => 1));
    await run.settled();
    await expect(run.suspend()).rejects.toThrow(IllegalTransitionError);
    await expect(run.resume()).rejects.toMatchObject({ code: "ILLEGAL_TRANSITION", status: "SUCCEEDED" });
  });

  test("of a chain lets the running step end and holds the next", async () => {
    const mage = open();
    const { plan, at } = gated(mage);
    const next = mage.task("next", () => "next");
    await mage.worker();
    const run = await mage.run(chain([plan, next]));
    await at.reached;
    await run.suspend();
    at.open();
    await happened(run, "succeeded", `${run.id}.0`);
    expect((await run.status()).status).toBe("SUSPENDED");
    expect((await run.children()).items.map(({ status }) => status)).toEqual(["SUCCEEDED", "PENDING"]);
    expect(await (await mage.get(`${run.id}.1`)).status()).toMatchObject({ heldBy: run.id });
    await run.resume();
    expect(await run.result()).toBe("next");
  });

  test("of a swarm lets running items end and starts none", async () => {
    const mage = open();
    const { plan, at } = gated(mage);
    let ran = 0;
    const quick = mage.task("quick", () => void ran++);
    await mage.worker();
    const run = await mage.run(swarm([plan, ...Array.from({ length: 9 }, () => quick)], { concurrency: 1 }));
    await at.reached;
    await run.suspend();
    at.open();
    await happened(run, "succeeded", `${run.id}.0`);
    expect(ran).toBe(0);
    expect(await run.counts()).toMatchObject({ total: 10, succeeded: 1, pending: 9 });
    await run.resume();
    expect(await run.result()).toMatchObject({ succeeded: 10 });
  });

  test("of an outer container holds what is deep inside, and tells who holds", async () => {
    const mage = open();
    const { plan, at } = gated(mage);
    const next = mage.task("next", () => "next");
    await mage.worker();
    const run = await mage.run(chain([swarm([chain([plan, next])])]));
    await at.reached;
    await run.suspend();
    const inner = await mage.get(`${run.id}.0.0`);
    at.open();
    await happened(run, "succeeded", `${run.id}.0.0.0`);
    expect(await inner.status()).toMatchObject({ status: "RUNNING", heldBy: run.id });
    const step = await mage.get(`${run.id}.0.0.1`);
    expect(await step.status()).toMatchObject({ status: "PENDING", heldBy: run.id });
    expect((await run.status()).heldBy).toBe(null);
    await run.resume();
    expect(await run.result()).toMatchObject({ succeeded: 1 });
  });

  test("of one item leaves the others alone, and its slot goes to the next", async () => {
    const mage = open();
    const { plan, at } = gated(mage);
    const quick = mage.task("quick", () => "quick");
    const run = await mage.run(swarm([quick, plan, quick], { concurrency: 1 }));
    const second = await mage.get(`${run.id}.1`);
    await second.suspend();
    await mage.worker();
    await happened(run, "succeeded", `${run.id}.2`);
    expect(await run.counts()).toMatchObject({ succeeded: 2, suspended: 1 });
    await second.resume();
    at.open();
    expect(await run.result()).toMatchObject({ succeeded: 3 });
  });

  test("of an inner and an outer container needs both to be resumed", async () => {
    const mage = open();
    const task = mage.task("task", () => "ran");
    const run = await mage.run(chain([swarm([task])]));
    const inner = await mage.get(`${run.id}.0`);
    await inner.suspend();
    await run.suspend();
    await mage.worker();
    await inner.resume();
    const item = await mage.get(`${run.id}.0.0`);
    expect(await item.status()).toMatchObject({ heldBy: run.id });
    await expect(run.result({ timeout: 30 })).rejects.toThrow(WaitTimeoutError);
    await run.resume();
    expect(await run.result()).toMatchObject({ succeeded: 1 });
  });

  test("keeps the time of what was delayed", async () => {
    const mage = open();
    const task = mage.task("task", () => "ran");
    const at = Date.now() + 3_600_000;
    const run = await mage.run(task, undefined, { at });
    await run.suspend();
    await run.resume();
    expect(await run.view()).toMatchObject({ status: "WAITING", dueAt: at });
  });

  test("of what was created and never started: resume starts it", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => "ran"));
    await run.suspend();
    await mage.worker();
    await run.resume();
    expect(await run.result()).toBe("ran");
  });

  test("is seen by another process of the same store", async () => {
    const mage = open();
    const other = open();
    const task = mage.task("task", () => "ran");
    const run = await mage.run(task);
    await (await other.get(run.id)).suspend();
    await mage.worker();
    await expect(run.result({ timeout: 30 })).rejects.toThrow(WaitTimeoutError);
    await (await other.get(run.id)).resume();
    expect(await run.result()).toBe("ran");
  });
});
