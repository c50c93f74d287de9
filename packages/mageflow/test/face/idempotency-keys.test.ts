import { expect, test } from "vitest";
import { chain, InvalidPlanError, type MageFlowError, swarm } from "../../src/index.ts";
import { onEachStore } from "./on-each-store.ts";
import { refusal } from "./refusal.ts";

onEachStore("idempotency keys", (open) => {
  test("give the first run again, and refuse what is something else", async () => {
    const mage = open();
    let ran = 0;
    const task = mage.task("task", ({ n }: { n: number }) => (ran++, n));
    await mage.worker();
    const first = await mage.run(task.with({ n: 1 }), undefined, { key: "k" });
    const second = await open().run(task.with({ n: 1 }).options({ priority: 1 }), undefined, { key: "k" });
    expect(second.id).toBe(first.id);
    expect(await second.result()).toBe(1);
    const conflict = expect.objectContaining({ code: "IDEMPOTENCY_CONFLICT", id: first.id });
    for (const [other, message] of [
      [task.with({ n: 2 }), undefined],
      [task, { n: 1 }],
      [task.with({ n: 1 }), { n: 1 }],
      [chain([task.with({ n: 1 })]), undefined],
      [chain([task.with({ n: 1 })], { name: "task" }), undefined],
    ] as const) {
      await expect(mage.run(other as typeof task, message as never, { key: "k" })).rejects.toThrow(conflict);
    }
    await expect(mage.create(task.with({ n: 2 }), { key: "k" })).rejects.toThrow(conflict);
    expect(ran).toBe(1);
    // A rerun has another input, and is what was asked for all the same.
    await first.rerun({ n: 3 });
    expect(await first.result()).toBe(3);
    expect((await mage.run(task.with({ n: 1 }), undefined, { key: "k" })).id).toBe(first.id);
  });

  test("refuse something else that comes at the same time", async () => {
    const mage = open();
    const task = mage.task("task", ({ n }: { n: number }) => n);
    const other = open();
    const ends = await Promise.allSettled(
      [1, 2, 1, 2].map((n, at) =>
        (at < 2 ? mage : other).run(at < 2 ? task : task.with({}), { n }, { key: "k" }),
      ),
    );
    const ids = ends.flatMap((end) => (end.status === "fulfilled" ? end.value.id : []));
    expect(new Set(ids).size).toBe(1);
    const refused = ends.flatMap((end) =>
      end.status === "rejected" ? (end.reason as MageFlowError).code : [],
    );
    expect(new Set(refused)).toEqual(new Set(["IDEMPOTENCY_CONFLICT"]));
    expect((await mage.list()).items).toHaveLength(1);
  });

  test("hold against callers at the same time, in one process and in two", async () => {
    const mage = open();
    const other = open();
    let ran = 0;
    const task = mage.task("task", () => ran++);
    const twin = other.task("task", () => ran++);
    const runs = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        n % 2 === 0 ? mage.run(task, undefined, { key: "k" }) : other.run(twin, undefined, { key: "k" }),
      ),
    );
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    await mage.worker();
    await runs[0]!.settled();
    expect(ran).toBe(1);
    expect((await mage.list()).items).toHaveLength(1);
  });

  test("hold for trees that are stored in many transactions", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const items = (): (typeof task)[] => Array.from({ length: 5_000 }, () => task);
    const runs = await Promise.all([0, 1, 2].map(() => mage.run(swarm(items()), undefined, { key: "big" })));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    expect((await mage.list()).items).toHaveLength(1);
    expect((await runs[0]!.counts()).total).toBe(5_000);
  });

  test("compare bytewise", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const keys = ["k", "K", "k ", "ß", "ss", "é", "e\u0301"];
    const runs = await Promise.all(keys.map((key) => mage.run(task, undefined, { key })));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(keys.length);
  });

  test("cannot be empty", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    expect(await refusal(() => mage.run(task, undefined, { key: "" }))).toBeInstanceOf(InvalidPlanError);
    expect(await refusal(() => mage.run(task, undefined, { key: 3 as never }))).toBeInstanceOf(
      InvalidPlanError,
    );
  });
});
