import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { MageFlow, type Run, type TaskOptions, type TaskPlan } from "mageflow";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Folder, folder, program, type Program } from "./program.ts";

const RETRIED: TaskOptions = { retry: { attempts: 3, backoff: { type: "fixed", delay: 0 } } };

type AnyTask = TaskPlan<unknown, unknown, unknown>;

/** True while a process is there. */
function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Gives the pid of each process that says that it starts, one after the other. */
function starting(worker: Program): () => Promise<number> {
  const pids: number[] = [];
  worker.onLine((line) => {
    if (line.startsWith("starts ")) pids.push(Number(line.slice("starts ".length)));
  });
  return async () => {
    for (let tries = 0; pids.length === 0 && tries < 1_000; tries++) await sleep(10);
    return pids.shift()!;
  };
}

async function gone(pid: number): Promise<void> {
  for (let tries = 0; lives(pid) && tries < 500; tries++) await sleep(20);
  const left = lives(pid);
  if (left) process.kill(pid, "SIGKILL");
  expect(left).toBe(false);
}

/** The note of its progress, as soon as there is one. */
async function told(run: Run): Promise<string> {
  for (let tries = 0; tries < 1_000; tries++) {
    const { progress } = await run.status();
    if (progress.note !== null) return progress.note;
    await sleep(10);
  }
  throw new Error("it told nothing");
}

describe.each(["thread", "process"] as const)("a task in a %s of its own", (isolation) => {
  let place: Folder;
  let mage: MageFlow;
  let worker: Program;
  const plans = new Map<string, AnyTask>();

  /** A plan for a task that only the worker runs; how it is retried and timed is the plan's. */
  function task(name: string, options: TaskOptions = {}): AnyTask {
    let plan = plans.get(name);
    if (plan === undefined) plans.set(name, (plan = mage.task(name, options, (): unknown => 0)));
    return plan;
  }
  const here = (what: string, options?: TaskOptions): AnyTask => task(`${what} in a ${isolation}`, options);

  async function running(): Promise<string> {
    worker.tell("running");
    return worker.says("running");
  }

  beforeAll(async () => {
    place = folder();
    mage = new MageFlow({ store: place.store });
    worker = program("isolated", place.store);
    await worker.says("ready");
  });
  afterAll(async () => {
    await mage.close();
    await worker[Symbol.asyncDispose]();
    place[Symbol.dispose]();
  });

  test("that never lets go fails by its time-out, and its neighbours do not notice", async () => {
    const endless = await mage.run(here("other loop"));
    await told(endless);
    const loop = await mage.run(here("loop", { timeout: "500ms" }));
    const healthy = await Promise.all(Array.from({ length: 20 }, () => mage.run(task("healthy"))));
    for (const run of healthy) expect(await run.result({ timeout: "30s" })).toBe(worker.pid);
    expect(await endless.view()).toMatchObject({ status: "RUNNING" });
    await endless.interrupt({ grace: "100ms" });
    const settled = await loop.settled({ timeout: "20s" });
    expect(settled).toMatchObject({ status: "FAILED", error: { code: "TIMEOUT", attempts: 1 } });
    // Its place is free, and the next one gets a new isolate.
    expect(await (await mage.run(here("who"))).result({ timeout: "10s" })).toBeTypeOf("string");
    const sessions = (await mage.workers()).map(({ endedAt }) => endedAt);
    expect(sessions).toEqual([null]);
    expect((await loop.view()).recoveries).toBe(0);
  });

  test("is ended also in a loop that V8 would not stop", async () => {
    const loop = await mage.run(here("loop without checks", { timeout: "1s" }));
    expect(await loop.settled({ timeout: "10s" })).toMatchObject({ error: { code: "TIMEOUT" } });
    expect(await running()).toBe("0 0");
  });

  test("is interrupted and really ended when it does not listen", async () => {
    const loop = await mage.run(here("other loop"));
    const pid = Number(await told(loop));
    await loop.interrupt({ grace: "400ms" });
    // What it had deferred could not run.
    expect((await loop.view()).interrupted).toEqual({ reason: null, clean: false });
    expect(await loop.logs({ contains: "deferred" })).toEqual([]);
    if (isolation === "process") await gone(pid);
    expect(await running()).toBe("0 0");
  });

  test("that needs too much memory fails alone", async () => {
    const run = await mage.run(here("memory"));
    const healthy = await mage.run(task("healthy"));
    expect(await run.settled({ timeout: "30s" })).toMatchObject({
      status: "FAILED",
      error: { code: "OUT_OF_MEMORY", message: expect.stringContaining("maxMemoryMb of 64") },
    });
    expect(await healthy.result()).toBe(worker.pid);
  });

  test("that ends its thread or process fails alone", async () => {
    const names = isolation === "thread" ? [here("exit")] : [here("exit"), task("abort"), task("kill")];
    const runs = await Promise.all(names.map((plan) => mage.run(plan)));
    const how = isolation === "thread" ? ["exit code 3"] : ["exit code 3", "SIGABRT", "SIGKILL"];
    for (const [i, run] of runs.entries()) {
      expect(await run.settled({ timeout: "10s" })).toMatchObject({
        status: "FAILED",
        error: {
          name: "WorkerExitedError",
          code: "WORKER_EXITED",
          message: expect.stringContaining(how[i]!),
        },
      });
    }
    expect(await (await mage.run(task("healthy"))).result()).toBe(worker.pid);
  });

  test("fails by an error that escapes it", async () => {
    const settled = await (await mage.run(here("stray"))).settled({ timeout: "10s" });
    expect(settled).toMatchObject({ error: { name: "RangeError", message: "from a timer" } });
  });

  test("hears why it must stop, and may end in its grace", async () => {
    const run = await mage.run(here("obedient"));
    await told(run);
    await run.interrupt({ reason: "by hand", grace: "5s" });
    expect((await run.view()).interrupted).toEqual({ reason: "by hand", clean: true });
    const [line] = await run.logs({ contains: "told" });
    expect(JSON.parse(line!.fields!)).toEqual({
      kind: "InterruptedError",
      code: "INTERRUPTED",
      message: expect.stringContaining("by hand"),
    });
  });

  test("has its grace almost to the end", async () => {
    let clean: boolean | null = false;
    // A busy machine may be late with one of them.
    for (let tries = 0; clean !== true && tries < 20; tries++) {
      const run = await mage.run(here("late"));
      await told(run);
      await run.interrupt({ grace: "200ms" });
      clean = (await run.view()).interrupted!.clean;
    }
    expect(clean).toBe(true);
  });

  test("has its context, over its attempts", async () => {
    const pid = worker.pid;
    const run = await mage.run(
      here("context", RETRIED).onSuccess(here("cause")),
      { word: "hello" },
      { tags: ["a"], metadata: { pid } },
    );
    const settled = await run.settled({ timeout: "20s" });
    expect(settled).toMatchObject({ status: "SUCCEEDED" });
    expect(settled.result).toEqual({
      input: { word: "hello" },
      step: { by: 1, of: { deep: [1, -0] } },
      before: { attempt: 2 },
      started: 2,
      status: "SUCCEEDED",
      later: "SUSPENDED",
      refused: { name: "WorkflowFailedError", code: "WORKFLOW_FAILED", id: true, cause: "it fails" },
      unfit: "INVALID_PLAN",
      uncloneable: "INVALID_PLAN",
      events: "ISOLATED",
      id: run.id,
      key: `${run.id}@1`,
      generation: 1,
      epoch: 3,
      signature: expect.objectContaining({ id: run.id, role: "root", tags: ["a"], metadata: { pid } }),
      cause: null,
      elsewhere: true,
    });
    expect((await run.status()).counts.total).toBe(0);
    const deferred = await run.logs({ contains: "deferred" });
    expect(deferred.map(({ fields }) => JSON.parse(fields!) as unknown)).toEqual(
      [1, 2, 3].map((attempt) => ({ attempt })),
    );
    const [callback] = (await run.callbacks()).items;
    expect(await (await mage.get(callback!.id)).result()).toMatchObject({
      id: run.id,
      kind: "task",
      outcome: "success",
      input: { word: "hello" },
      result: { started: 2 },
    });
  });

  test("registers plans that release what it holds, and they do when it is ended", async () => {
    const run = await mage.run(here("holding", { ...RETRIED, timeout: "2s" }));
    expect(await run.settled({ timeout: "20s" })).toMatchObject({ error: { code: "TIMEOUT", attempts: 3 } });
    const { items } = await run.callbacks();
    const released = await Promise.all(items.map(async ({ id }) => (await mage.get(id)).result()));
    const { pid } = worker;
    expect(released).toEqual([
      { by: "a plan", attempt: 1, in: isolation, pid },
      { by: "a plan", pid },
      { by: "a plan", attempt: 2, in: isolation, pid },
      { by: "a plan", attempt: 3, in: isolation, pid },
    ]);
    const [line] = await run.logs({ contains: "released" });
    expect(JSON.parse(line!.fields!)).toEqual({ held: "INVALID_PLAN" });
  });

  test("gets what its schema puts out, and its result and errors come back", async () => {
    const date = await mage.run(here("schemas"), { at: "2026-01-02T03:04:05Z" });
    expect(await date.result({ timeout: "10s" })).toEqual({ year: 2026 });
    const expected = {
      schemas: { code: "VALIDATION", message: expect.stringContaining("$.at"), attempts: 1 },
      misfit: { code: "VALIDATION", message: expect.stringContaining("$.n"), attempts: 1 },
      terminal: {
        name: "TerminalError",
        code: "TERMINAL",
        message: "hopeless",
        stack: expect.stringContaining("isolated.ts"),
        attempts: 1,
        cause: { name: "RangeError", message: "why", code: "E_WHY" },
      },
      custom: { name: "MineError", code: "E_MINE", message: "mine", attempts: 3 },
    };
    for (const [what, error] of Object.entries(expected)) {
      const run = await mage.run(here(what, RETRIED), {});
      const settled = await run.settled({ timeout: "10s" });
      expect({ what, ...settled }).toMatchObject({ what, status: "FAILED", error });
    }
  });

  test("cannot start its program again, and must be registered by its module", async () => {
    const expected = {
      "runs itself": { code: "ISOLATED", message: expect.stringContaining("ctx.run") },
      unguarded: { code: "ISOLATED", message: expect.stringContaining("import.meta.main") },
      "not found": { code: "INVALID_PLAN", message: expect.stringContaining("no task") },
    };
    for (const [what, error] of Object.entries(expected)) {
      const run = await mage.run(here(what));
      const settled = await run.settled({ timeout: "10s" });
      expect({ what, ...settled }).toMatchObject({ what, status: "FAILED", error });
    }
  });

  test("shares a few isolates with all others", async () => {
    const runs = await Promise.all(Array.from({ length: 100 }, () => mage.run(here("who"))));
    const by = new Set(await Promise.all(runs.map((run) => run.result({ timeout: "20s" }))));
    expect(by.size).toBeLessThanOrEqual(4);
  });

  test("leaves nothing to the next one", async () => {
    const places = new Set<unknown>();
    const left = ["loop", "exit", "throw", "immediate", "tick", "listener", "child", "server"];
    for (const what of left) {
      const run = await mage.run(here("leaving"), { what });
      const settled = await run.settled({ timeout: "10s" });
      expect({ what, ...settled }).toMatchObject({ what, status: "SUCCEEDED" });
      places.add(settled.result);
    }
    expect(places.size).toBe(left.length);
  });

  test.each(["tidy", "sending"])("that leaves nothing leaves its place (%s)", async (what) => {
    const places = new Set<unknown>();
    for (let n = 0; n < 3; n++) {
      const run = await mage.run(here(what));
      places.add(await run.result({ timeout: "10s" }));
    }
    expect(places.size).toBe(1);
  });

  test("does not see what another one has changed", async () => {
    await (await mage.run(here("changing"))).result({ timeout: "10s" });
    expect(await (await mage.run(here("looking"))).result({ timeout: "10s" })).toEqual([false, null]);
  });

  test("is handed back when the worker stops, and nothing of it is left", async () => {
    const loop = await mage.run(here("other loop"));
    const tidy = await mage.run(here("tidying"), { ledger: place.ledger });
    const pid = Number(await told(loop));
    await told(tidy);
    worker.tell("stop");
    await worker.says("closed");
    // The program ends by itself.
    expect(await worker.ended).toMatchObject({ code: 0 });
    expect(lives(pid)).toBe(false);
    for (const run of [loop, tidy]) {
      expect(await run.view()).toMatchObject({ status: "READY", recoveries: 0 });
    }
    expect(readFileSync(place.ledger, "utf8")).toBe("ShutdownError\ndeferred\n");
  });
});

test("a process ends with the worker that was killed, though its task never lets go", async () => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const loop = mage.task("other loop in a process", (_input: unknown): unknown => 0);
  await using worker = program("isolated", place.store);
  await worker.says("ready");
  const pid = Number(await told(await mage.run(loop)));
  expect(pid).not.toBe(worker.pid);
  worker.process.kill("SIGKILL");
  await worker.ended;
  await gone(pid);
});

test.each(["starts", "loads"])("a process begins nothing when its worker is gone while it %s", async (at) => {
  using place = folder();
  await using mage = new MageFlow({ store: place.store });
  const loop = mage.task("loop", (_input: unknown): unknown => 0);
  const gates = { starts: place.path("started"), loads: place.path("loaded") };
  await using worker = program("slow-start", place.store, place.ledger, gates.starts, gates.loads);
  await worker.says("ready");
  await mage.run(loop);
  const pid = Number(await worker.says("starts"));
  if (at === "loads") {
    writeFileSync(gates.starts, "");
    await worker.says("loads");
  }
  worker.process.kill("SIGKILL");
  await once(worker.process, "exit");
  for (const gate of Object.values(gates)) writeFileSync(gate, "");
  await gone(pid);
  expect(existsSync(place.ledger)).toBe(false);
});

describe("a process that is ended while it starts", () => {
  let place: Folder;
  let mage: MageFlow;
  let worker: Program;
  let task: AnyTask;
  let starts: () => Promise<number>;

  beforeEach(async () => {
    place = folder();
    mage = new MageFlow({ store: place.store });
    task = mage.task("task", (): unknown => 0);
    worker = program("slow-start", place.store, place.ledger, place.path("gate"), place.path("gate"));
    await worker.says("ready");
    starts = starting(worker);
  });
  afterEach(async () => {
    await mage.close();
    await worker[Symbol.asyncDispose]();
    place[Symbol.dispose]();
  });

  test.each([1, 2])("is not its task's fault, also when the worker stops (%d times)", async (times) => {
    const run = await mage.run(task);
    for (let n = 0; n < times; n++) process.kill(await starts(), "SIGINT");
    worker.tell("stop");
    await starts();
    writeFileSync(place.path("gate"), "");
    expect(await run.result({ timeout: "20s" })).toBe("done");
    expect(await run.view()).toMatchObject({ attempt: 1, recoveries: 0 });
    expect(await worker.ended).toMatchObject({ code: 0 });
  });

  test("fails its task when that happens again and again", async () => {
    const run = await mage.run(task);
    for (let n = 0; n < 3; n++) process.kill(await starts(), "SIGINT");
    expect(await run.settled({ timeout: "20s" })).toMatchObject({
      error: { code: "WORKER_EXITED", attempts: 1 },
    });
  });

  test("has stopped cleanly, as its task has not begun", async () => {
    const run = await mage.run(task);
    const pid = await starts();
    await run.interrupt({ grace: "300ms" });
    expect((await run.view()).interrupted).toEqual({ reason: null, clean: true });
    await gone(pid);
  });
});
