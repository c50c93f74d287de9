import { expect, test } from "vitest";
import { chain, type MageFlowError, swarm } from "../../src/index.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

const stale = expect.objectContaining({ code: "STALE_CONFIRMATION" });

onEachStore("what a cancellation has counted", (open, strike) => {
  test("counts log lines up to a bound, and tells that there are more", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    const line = { id: run.id, rootId: run.id, generation: 1, attempt: 1, at: 1, fields: null } as const;
    const write = (count: number) =>
      strike((tx) =>
        tx.write({ logs: Array.from({ length: count }, () => ({ ...line, level: "info", message: "m" })) }),
      );
    await write(10_000);
    expect((await run.planCancel()).impact).toMatchObject({ logs: 10_000, moreLogs: false });
    await write(1);
    expect((await run.planCancel()).impact).toMatchObject({ logs: 10_000, moreLogs: true });
  });

  test("counts a large workflow page by page, and lets others have their turns meanwhile", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const run = await mage.create(swarm(Array.from({ length: 5_000 }, () => task)));
    let turns = 0;
    let counting = true;
    const count = (): void => {
      turns++;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    const plan = await run.planCancel();
    expect(turns).toBeGreaterThanOrEqual(10);
    turns = 0;
    await plan.confirm();
    expect(turns).toBeGreaterThanOrEqual(10);
    counting = false;
    expect(plan.impact.descendants).toBe(5_000);
  });

  test("is refused when something grows that has been counted already", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const inner = swarm([task], { open: true });
    const run = await mage.run(swarm([inner, ...Array.from({ length: 5_000 }, () => task)]));
    const first = await mage.get(`${run.id}.0`);
    const plan = await run.planCancel();
    const refusal = plan.confirm().catch((error: unknown) => error);
    for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
    await first.addTasks([task]);
    expect(await refusal).toEqual(stale);
    expect(await run.status()).toMatchObject({ execution: "RUNNING" });
    await (await run.planCancel()).confirm();
    expect(await run.settled()).toMatchObject({ status: "CANCELLED" });
  });

  test("sees growth in one with more open swarms than one transaction can look at", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const inner = swarm([task], { open: true });
    const run = await mage.create(swarm(Array.from({ length: 1_001 }, () => inner)));
    const last = await open().get(`${run.id}.1000`);
    const plan = await run.planCancel();
    await last.addTasks([task]);
    await expect(plan.confirm()).rejects.toThrow(stale);
    const second = await run.planCancel();
    // Nobody adds to it while it is counted for the last time: it is either told of, or not there.
    let over = false;
    const confirmed = second
      .confirm()
      .then(
        () => "cancelled",
        (error: unknown) => (error as MageFlowError).code,
      )
      .finally(() => (over = true));
    let added = 0;
    let refused = "";
    while (!over && refused === "") {
      await last.addTasks([task]).then(
        () => added++,
        (error: unknown) => (refused = (error as MageFlowError).code),
      );
    }
    expect(added === 0 ? "cancelled" : "STALE_CONFIRMATION").toBe(await confirmed);
    expect(["", "LOCKED", "SWARM_CLOSED", "NOT_FOUND", "GONE"]).toContain(refused);
    if (added === 0) return;
    expect((await run.status()).locks).toEqual([]);
    await (await run.planCancel()).confirm();
    expect(await run.settled()).toMatchObject({ status: "CANCELLED" });
  });

  test("lets nothing in it grow any more, but what its cleanups made", async () => {
    const mage = open();
    const [cleaning, finish] = [gate(), gate()];
    const task = mage.task("task", () => 1);
    const clean = mage.task("clean", async () => {
      cleaning.open();
      await finish.opened;
    });
    const plan = chain([task, swarm([], { open: true })]).onCleanup(
      chain([clean, swarm([task], { open: true })]),
    );
    const run = await mage.create(plan);
    await using worker = await mage.worker({ tasks: ["clean"] });
    await (await run.planCancel()).confirm();
    await cleaning.opened;
    const closed = expect.objectContaining({ code: "SWARM_CLOSED" });
    await expect((await mage.get(`${run.id}.1`)).addTasks([task])).rejects.toThrow(closed);
    expect(await (await mage.get(`${run.id}.cleanup0.1`)).addTasks([task])).toHaveLength(1);
    finish.open();
    await worker.stop();
  });
});
