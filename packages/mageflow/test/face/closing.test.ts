import { expect, test } from "vitest";
import { chain, ClosedError, MageFlow, type Run } from "../../src/index.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

/** What a MageFlow and a handle can be asked for. */
function everything(mage: MageFlow, run: Run): Record<string, () => Promise<unknown>> {
  return {
    list: () => mage.list(),
    run: () => mage.run(chain([mage.task(`new ${mage.tasks.length}`, () => 1)])),
    create: () => mage.create(chain([mage.task(`new ${mage.tasks.length}`, () => 1)])),
    get: () => mage.get(run.id),
    logs: () => mage.logs(),
    workers: () => mage.workers(),
    unhandled: () => mage.unhandled(),
    worker: () => mage.worker(),
    verify: () => mage.verify().next(),
    status: () => run.status(),
    counts: () => run.counts(),
    view: () => run.view(),
    result: () => run.result(),
    settled: () => run.settled(),
    events: () => run.events({ since: 0 }).next(),
    results: () => run.results().next(),
    children: () => run.children(),
    callbacks: () => run.callbacks(),
    "logs of a run": () => run.logs(),
    start: () => run.start(),
    suspend: () => run.suspend(),
    resume: () => run.resume(),
    close: () => run.close(),
    addTasks: () => run.addTasks([]),
  };
}

async function stillOpen(mage: MageFlow, run: Run): Promise<string[]> {
  const answers = await Promise.all(
    Object.entries(everything(mage, run)).map(async ([what, ask]) => {
      const answer: unknown = await ask().catch((error: unknown) => error);
      return answer instanceof ClosedError && answer.code === "CLOSED" ? [] : [what];
    }),
  );
  return answers.flat();
}

onEachStore("closing", (open) => {
  test("closes everything, handles included, and those who wait are told", async () => {
    const mage = open();
    const run = await mage.run(mage.task("task", () => 1));
    const waiting = run.result().catch((error: unknown) => error);
    await mage.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
    expect(await stillOpen(mage, run)).toEqual([]);
    await mage.close();
    expect(await (await open().get(run.id)).status()).toMatchObject({ status: "READY" });
  });

  test("closes what was never opened", async () => {
    const mage = open();
    await mage.close();
    await expect(mage.list()).rejects.toThrow(ClosedError);
    await expect(mage.verify().next()).rejects.toThrow(ClosedError);
  });

  test("leaves everything open to the tasks that it waits for", async () => {
    const mage = open();
    const { wait, reached, open: letGo } = gate();
    const child = mage.task("child", () => 1);
    const task = mage.task("task", async (_: unknown, ctx) => {
      await wait();
      const own = await mage.get(ctx.id);
      await ctx.run(child);
      return (await own.status()).status;
    });
    await mage.worker();
    const run = await mage.run(task);
    await reached;
    const closed = mage.close();
    await expect(mage.worker()).rejects.toThrow(ClosedError);
    letGo();
    await closed;
    const later = open();
    expect(await (await later.get(run.id)).result()).toBe("RUNNING");
    expect((await later.list({ name: "child" })).items).toHaveLength(1);
  });

  test("stops a worker that is being started", async () => {
    const mage = open();
    const starting = mage.worker();
    await mage.list();
    await mage.close();
    await starting;
    expect((await open().workers()).every(({ endedAt }) => endedAt !== null)).toBe(true);
  });
});

test("an open store in memory is the one that is audited", async () => {
  await using mage = new MageFlow({ store: "memory:" });
  await mage.run(mage.task("task", () => 1));
  expect(await mage.verify().next()).toMatchObject({ done: true, value: { signatures: 1 } });
});

test("a place that is none is refused by the first call that needs it", async () => {
  for (const store of ["", "sqlite:", 5, {}, "sqlite://x"]) {
    const mage = new MageFlow({ store: store as string });
    await expect(mage.list()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(mage.verify().next()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await mage.close();
  }
  await expect(new MageFlow({ store: "redis://x" }).list()).rejects.toMatchObject({
    code: "UNSUPPORTED_STORE",
  });
});
