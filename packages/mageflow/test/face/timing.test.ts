import { expect, test } from "vitest";
import { chain, type MageFlow, type Run, swarm, type TaskPlan } from "../../src/index.ts";
import { happened } from "./happened.ts";
import { onEachStore } from "./on-each-store.ts";

/** A task that is told its name. */
type Named = TaskPlan<{ name: string }, null, { name: string }>;

onEachStore("times", (open) => {
  test("a delay is waited for, from the moment it is its turn", async () => {
    const mage = open();
    const first = mage.task("first", () => {});
    const later = mage.task("later", () => "ran");
    await mage.worker();
    const run = await mage.run(chain([first, later.options({ delay: "60ms" })]));
    const waiting = await happened(run, "waiting", `${run.id}.1`);
    expect(await run.result()).toBe("ran");
    const started = await happened(run, "started", `${run.id}.1`);
    expect(started.at - waiting.at).toBeGreaterThanOrEqual(60);
  });

  test("an instant in the future is waited for, one in the past is not", async () => {
    const mage = open();
    const task = mage.task("task", () => "ran");
    await mage.worker();
    const at = new Date(Date.now() + 3_600_000);
    const future = await mage.run(task, undefined, { at });
    expect(await future.view()).toMatchObject({ status: "WAITING", dueAt: at.getTime() });
    const past = await mage.run(task, undefined, { at: Date.now() - 1_000 });
    expect(await past.result()).toBe("ran");
    const soon = await mage.run(task.options({ at: Date.now() + 60 }));
    expect(await soon.result()).toBe("ran");
    expect((await soon.view()).startedAt!).toBeGreaterThanOrEqual((await soon.view()).createdAt);
  });

  test("a stagger spreads a crowd over its span", async () => {
    const mage = open();
    const task = mage.task("task", () => {});
    const run = await mage.run(swarm(Array.from({ length: 30 }, () => task.options({ stagger: "1h" }))));
    const { items } = await run.children();
    const { startedAt } = await run.view();
    const waits = items.map(({ dueAt }) => dueAt! - startedAt!);
    expect(items.every(({ status }) => status === "WAITING")).toBe(true);
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThan(3_600_000);
    }
    expect(new Set(waits).size).toBeGreaterThan(20);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(1_800_000);
  });

  test("a container waits for its time as a whole", async () => {
    const mage = open();
    const task = mage.task("task", () => {});
    await mage.worker();
    const run = await mage.run(chain([task], { delay: "1h" }));
    expect(await run.view()).toMatchObject({ status: "WAITING", startedAt: null });
    expect((await run.children()).items).toMatchObject([{ status: "PENDING" }]);
  });
});

onEachStore("turns", (open) => {
  /** Runs, one after the other, what was made ready before: whatever brings tasks knows of all of it by then. */
  async function inTurn(make: (mage: MageFlow, task: Named) => Promise<Run[]>): Promise<string[]> {
    const ran: string[] = [];
    const note = ({ name }: { name: string }): void => void ran.push(name);
    const submitter = open();
    const runs = await make(submitter, submitter.task("task", note));
    await submitter.close();
    const mage = open();
    mage.task("task", note);
    await mage.worker({ concurrency: 1 });
    for (const { id } of runs) await (await mage.get(id)).settled();
    return ran;
  }

  test("ready tasks of higher priority go first, then the older ones", async () => {
    const ran = await inTurn(async (mage, task) => {
      const runs = [];
      for (const [name, priority] of [
        ["low", -1],
        ["first", 0],
        ["second", 0],
        ["high", 5],
      ] as const) {
        runs.push(await mage.run(task.with({ name }), undefined, { priority }));
      }
      return runs;
    });
    expect(ran[0]).toBe("high");
    expect(ran.at(-1)).toBe("low");
    expect(ran.slice(1, 3).toSorted()).toEqual(["first", "second"]);
  });

  test("what is inside a container has its priority, unless it has its own", async () => {
    const ran = await inTurn(async (mage, task) => [
      await mage.run(swarm([task.with({ name: "inherits" })], { priority: 5 })),
      await mage.run(swarm([task.with({ name: "own" }).options({ priority: 9 })])),
      await mage.run(swarm([task.with({ name: "none" })])),
    ]);
    expect(ran).toEqual(["own", "inherits", "none"]);
  });

  test("items are taken in their order, those of higher priority first", async () => {
    const mage = open();
    const ran: number[] = [];
    const task = mage.task("task", ({ n }: { n: number }) => void ran.push(n));
    const items = Array.from({ length: 25 }, (_, n) =>
      task.with({ n }).options(n === 20 ? { priority: 1 } : {}),
    );
    const run = await mage.run(swarm(items, { concurrency: 1 }));
    await mage.worker();
    await run.settled();
    expect(ran).toEqual([20, ...Array.from({ length: 25 }, (_, n) => n).filter((n) => n !== 20)]);
  });

  test("a task's own concurrency is kept by its worker", async () => {
    const mage = open();
    let now = 0;
    let most = 0;
    const full = Promise.withResolvers<void>();
    const task = mage.task("task", { concurrency: 2 }, async () => {
      most = Math.max(most, ++now);
      if (now === 2) full.resolve();
      await full.promise;
      await new Promise((resolve) => setImmediate(resolve));
      now--;
    });
    await mage.worker({ concurrency: 50 });
    await (await mage.run(swarm(Array.from({ length: 20 }, () => task)))).settled();
    expect(most).toBe(2);
  });
});
