import { expect, test } from "vitest";
import { z } from "zod";
import { ALL_RESUME } from "../../src/core/recovery.ts";
import { chain, type MageFlow, type Run, swarm, type TaskContext } from "../../src/index.ts";
import { sampleWorker } from "../../src/testing/store-suite/sample-worker.ts";
import { eventually } from "./eventually.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

/** No heartbeat falls into the test that takes such a worker for lost. */
const SILENT = { lease: "10m", heartbeat: "5m" } as const;

const AT_ONCE = { type: "fixed", delay: 0 } as const;
const TWICE = { attempts: 2, backoff: AT_ONCE } as const;

/** A task that releases what it is given, and notes it. */
function releasing(mage: MageFlow, seen: string[], name = "remove") {
  return mage.task(name, ({ path }: { path: string }, ctx) => {
    seen.push(`${name} ${path} after ${ctx.cause!.outcome} of ${ctx.cause!.generation}`);
  });
}

async function breaches(mage: MageFlow): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const breach of mage.verify()) found.push(breach);
  return found;
}

/** Waits until its signal aborts, and throws the reason. */
function untilStopped({ signal }: TaskContext): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });
}

/** Its callbacks as `slot status`. */
async function callbacks(run: Run): Promise<string[]> {
  const { items } = await run.callbacks();
  return items.map(({ role, slot, status }) => `${role}${slot} ${status}`);
}

onEachStore("what functions release", (open, strike) => {
  test("what a dead attempt held is released by the next, before it takes its own", async () => {
    const mage = open();
    const seen: string[] = [];
    const task = mage.task(
      "task",
      { retry: { attempts: 2, backoff: { type: "fixed", delay: 0 } } },
      async (_input: unknown, ctx) => {
        const path = `tmp${ctx.attempt}`;
        await ctx.resource("tmp", { path }, (held) => {
          seen.push(`release ${held.path}`);
          // As if the worker had died before it got to this.
          if (held.path === "tmp1" && ctx.attempt === 1) throw new Error("dead");
        });
        seen.push(`hold ${path}`);
        if (ctx.attempt === 1) throw new Error("again");
      },
    );
    await mage.worker();
    await (await mage.run(task)).result();
    expect(seen).toEqual(["hold tmp1", "release tmp1", "release tmp1", "hold tmp2", "release tmp2"]);
  });

  test("what is held without a descriptor is released by the next attempt too", async () => {
    const mage = open();
    const seen: string[] = [];
    const task = mage.task(
      "task",
      { retry: { attempts: 2, backoff: { type: "fixed", delay: 0 } } },
      async (_input: unknown, ctx) => {
        await ctx.resource("lock", null, () => {
          seen.push(`released by ${ctx.attempt}`);
          if (ctx.attempt === 1) throw new Error("as if its worker had died");
        });
        seen.push(`held by ${ctx.attempt}`);
        if (ctx.attempt === 1) throw new Error("again");
      },
    );
    await mage.worker();
    await (await mage.run(task)).result();
    expect(seen).toEqual(["held by 1", "released by 1", "released by 2", "held by 2", "released by 2"]);
  });

  test("what a lost worker held is released by the one that takes the task over", async () => {
    const mage = open();
    const held = gate();
    const hang = gate();
    const seen: string[] = [];
    const registered = (at: MageFlow, where: string) =>
      at.task("task", async (_input: unknown, ctx) => {
        await ctx.resource(
          "tmp",
          { of: where },
          ({ of }) => void seen.push(`${where} releases what ${of} held`),
        );
        if (where === "other") return "done";
        held.open();
        await hang.opened;
        return "too late";
      });
    // It has no room to take its own task over when it learns that it was taken for dead.
    const worker = await mage.worker({ ...SILENT, grace: 10, concurrency: 1 });
    const run = await mage.run(registered(mage, "one"));
    await held.opened;
    // As if its process had stopped: it says nothing more of itself, and its lease lapses.
    await strike(async (tx) => {
      await tx.write({ workers: [sampleWorker(worker.id, { autoResume: ALL_RESUME, leaseUntil: 1 })] });
    });
    const other = open();
    registered(other, "other");
    await using successor = await other.worker();
    expect(await run.result()).toBe("done");
    expect(seen).toEqual(["other releases what one held", "other releases what other held"]);
    expect(await run.view()).toMatchObject({ recoveries: 1, attempt: 1 });
    hang.open();
    await Promise.all([worker.stop(), successor.stop()]);
  });

  test("under one name is released all of it, by the attempt that took it", async () => {
    const mage = open();
    const seen: string[] = [];
    const task = mage.task("task", async (_input: unknown, ctx) => {
      const release = (path: string): unknown => seen.push(`release ${path}`);
      await Promise.all(["a", "b", "c"].map((path) => ctx.resource("tmp", path, release)));
      await ctx.resource("tmp", "a", release);
      seen.push("held");
    });
    await mage.worker();
    await (await mage.run(task)).result();
    expect(seen).toEqual(["held", "release a", "release c", "release b", "release a"]);
  });

  test("under one name is released all of it by the next attempt, once", async () => {
    const mage = open();
    const seen: string[] = [];
    const task = mage.task(
      "task",
      { retry: { attempts: 3, backoff: AT_ONCE } },
      async (_input: unknown, ctx) => {
        const release = (path: string): void => {
          // As if the worker had died before it got to this.
          if (path.startsWith(`${ctx.attempt} `) && ctx.attempt < 3) throw new Error("dead");
          seen.push(`${ctx.attempt} releases ${path}`);
        };
        const held = ctx.attempt === 1 ? ["a", "b"] : ["c"];
        await Promise.all(held.map((path) => ctx.resource("tmp", `${ctx.attempt} ${path}`, release)));
        if (ctx.attempt < 3) throw new Error("again");
      },
    );
    await mage.worker();
    await (await mage.run(task)).result();
    expect(seen).toEqual(["2 releases 1 a", "2 releases 1 b", "3 releases 2 c", "3 releases 3 c"]);
  });

  test("and fails to be released is tried again when it is asked for again", async () => {
    const mage = open();
    const seen: string[] = [];
    const task = mage.task("task", { retry: TWICE }, async (_input: unknown, ctx) => {
      let fails = true;
      const release = (path: string): void => {
        seen.push(`${ctx.attempt} ${path}`);
        if (ctx.attempt === 1 || fails) throw new Error("not now");
      };
      if (ctx.attempt === 2) {
        await ctx.resource("tmp", "b", release).catch((error: Error) => seen.push(error.message));
        fails = false;
      }
      await ctx.resource("tmp", "a", release);
      if (ctx.attempt === 1) throw new Error("again");
    });
    await mage.worker();
    await (await mage.run(task)).result();
    expect(seen).toEqual(["1 a", "2 a", "not now", "2 a", "2 a"]);
  });
});

interface Held {
  readonly run: Run;
  /** Its worker says nothing more, as if its process had stopped. */
  readonly lose: () => Promise<void>;
  /** Its worker hands the task back. */
  readonly stop: () => Promise<void>;
}

/** How a task comes to its end that holds something, when nobody runs its code again. */
const ENDS: Readonly<Record<string, (held: Held) => Promise<unknown>>> = {
  "has lost its worker and is cancelled": async ({ run, lose }) => {
    await lose();
    await (await run.planCancel()).confirm({ reason: "not wanted", grace: 0 });
  },
  "has lost its worker and is interrupted and deleted": async ({ run, lose }) => {
    await lose();
    await run.interrupt({ grace: 0 });
    await run.delete({ after: 0 });
  },
  "ends as a CRASH_LOOP": ({ lose }) => lose(),
  "has lost its worker and is parked": ({ lose }) => lose(),
  "is out of time before anybody takes it over": ({ stop }) => stop(),
};

onEachStore("what plans release", (open, strike) => {
  /** As if the process of this worker had stopped: it says nothing more of itself, and its lease lapses. */
  async function lose({ id }: { readonly id: string }): Promise<void> {
    await strike(async (tx) => {
      await tx.write({ workers: [sampleWorker(id, { autoResume: ALL_RESUME, leaseUntil: 1 })] });
    });
  }

  test.each([
    { outcome: "success", attempts: 1, fails: 0 },
    { outcome: "success", attempts: 2, fails: 1 },
    { outcome: "error", attempts: 2, fails: 2 },
  ] as const)("is released once, in front of other cleanups: %o", async ({ outcome, attempts, fails }) => {
    const mage = open();
    const seen: string[] = [];
    const remove = releasing(mage, seen);
    const clean = mage.task("clean", (input: { of: number }) => void seen.push(`clean ${input.of}`));
    const retry = { attempts, backoff: AT_ONCE };
    const task = mage.task("task", { retry }, async (_input: { of: number }, ctx) => {
      await ctx.resource("tmp", { path: "a" }, remove);
      await ctx.resource("tmp", { path: "b" }, remove);
      await Promise.all([1, 2].map(() => ctx.resource("tmp", { path: "a" }, remove)));
      await ctx.resource("other", { path: "a" }, remove);
      seen.push(`attempt ${ctx.attempt}`);
      if (ctx.attempt <= fails) throw new Error("no");
    });
    await mage.worker();
    const run = await mage.run(task.onCleanup(clean), { of: 7 });
    await run.settled();
    const after = `after ${outcome} of 1`;
    expect(seen).toEqual([
      ...Array.from({ length: attempts }, (_, n) => `attempt ${n + 1}`),
      `remove a ${after}`,
      `remove b ${after}`,
      `remove a ${after}`,
      "clean 7",
    ]);
    expect(await breaches(mage)).toEqual([]);
  });

  test("is released for each of several attempts that held something else", async () => {
    const mage = open();
    const seen: string[] = [];
    const remove = releasing(mage, seen);
    const task = mage.task("task", { retry: TWICE }, async (_input: unknown, ctx) => {
      await ctx.resource("tmp", { path: `of ${ctx.attempt}` }, remove);
      if (ctx.attempt === 1) throw new Error("again");
    });
    await mage.worker();
    await (await mage.run(task)).settled();
    expect(seen).toEqual(["remove of 2 after success of 1", "remove of 1 after success of 1"]);
  });

  test("is a cleanup that waits as soon as the call has resolved, and until the end", async () => {
    const mage = open();
    const seen: string[] = [];
    const [held, finish] = [gate(), gate()];
    const remove = releasing(mage, seen);
    const task = mage.task("task", async (_input: unknown, ctx) => {
      await ctx.resource("tmp", { path: "a" }, remove);
      held.open();
      await finish.opened;
    });
    await mage.worker();
    const items = await mage.run(swarm([task, task], { onItemCleanup: remove.with({ path: "item" }) }));
    await held.opened;
    const run = await mage.get(`${items.id}.0`);
    expect(await callbacks(run)).toEqual(["cleanup0 PENDING"]);
    expect(await breaches(mage)).toEqual([]);
    finish.open();
    await items.settled();
    expect(await callbacks(run)).toEqual(["cleanup0 SUCCEEDED", "itemCleanup0 SUCCEEDED"]);
    const each = ["remove a after success of 1", "remove item after success of 1"];
    expect(seen.toSorted()).toEqual([...each, ...each].toSorted());
    expect(seen.indexOf(each[0]!)).toBeLessThan(seen.indexOf(each[1]!));
    expect(await breaches(mage)).toEqual([]);
  });

  test.each(Object.entries(ENDS))("is released by whoever can, when its task %s", async (how, end) => {
    const mage = open();
    const seen: string[] = [];
    const [held, hang] = [gate(), gate()];
    const remove = releasing(mage, []);
    const options = {
      "ends as a CRASH_LOOP": { maxRecoveries: 0 },
      "has lost its worker and is parked": { autoResume: false as const },
      "is out of time before anybody takes it over": { totalTimeout: "300ms" as const },
    }[how];
    const task = mage.task("task", options ?? {}, async (_input: unknown, ctx) => {
      await ctx.resource("tmp", { path: "a" }, remove);
      held.open();
      await hang.opened;
    });
    const worker = await mage.worker({ ...SILENT, tasks: ["task"], grace: 10 });
    const { id } = await mage.run(task);
    await held.opened;
    const other = open();
    releasing(other, seen);
    await using successor = await other.worker();
    const run = await other.get(id);
    const settled = run.settled();
    await end({ run, lose: () => lose(worker), stop: () => worker.stop() });
    const { status } = await settled;
    const outcomes = { CANCELLED: "cancel", INTERRUPTED: "interrupt", FAILED: "error" } as const;
    const outcome = outcomes[status as keyof typeof outcomes];
    const released = await eventually(async () => (seen.length > 0 ? seen : null));
    expect(released).toEqual([`remove a after ${outcome} of 1`]);
    hang.open();
    await Promise.all([worker.stop(), successor.stop()]);
    expect(await breaches(other)).toEqual([]);
  });

  test("belongs to its generation: what goes on or begins again takes its own", async () => {
    const mage = open();
    const seen: string[] = [];
    const held = gate();
    const remove = releasing(mage, seen);
    const task = mage.task("task", async (_input: unknown, ctx) => {
      const { path } = await ctx.step("made", () => ({ path: "a" }));
      if (ctx.generation < 3) await ctx.resource("tmp", { path }, remove);
      held.open();
      if (ctx.generation === 1) await untilStopped(ctx);
      return ctx.generation;
    });
    await mage.worker();
    const run = await mage.run(task);
    await held.opened;
    await run.interrupt({ grace: "1m" });
    await run.settled();
    expect(seen).toEqual(["remove a after interrupt of 1"]);
    await run.resume();
    expect(await run.result()).toBe(2);
    await run.settled();
    expect(seen.slice(1)).toEqual(["remove a after success of 2"]);
    await run.rerun();
    expect(await run.result()).toBe(3);
    await run.settled();
    expect(seen).toHaveLength(2);
    expect(await callbacks(run)).toEqual(["cleanup0 SUCCEEDED", "cleanup0 SUCCEEDED"]);
    expect(await breaches(mage)).toEqual([]);
  });

  test("is fenced: an attempt that has lost its task registers nothing", async () => {
    const mage = open();
    const seen: string[] = [];
    const [held, go] = [gate(), gate()];
    const told = Promise.withResolvers<unknown>();
    const remove = releasing(mage, seen);
    const task = mage.task("task", async (_input: unknown, ctx) => {
      held.open();
      await go.opened;
      told.resolve(await ctx.resource("tmp", { path: "a" }, remove).catch((error: unknown) => error));
    });
    await using worker = await mage.worker({ ...SILENT, grace: 10 });
    const run = await mage.run(task);
    await held.opened;
    await run.interrupt({ grace: 0 });
    go.open();
    expect(await told.promise).toMatchObject({ code: "LEASE_LOST" });
    expect(await callbacks(run)).toEqual([]);
    await worker.stop();
  });

  test("fails visibly, and is retried as its own plan says", async () => {
    const mage = open();
    let tries = 0;
    const remove = mage.task("remove", { retry: TWICE }, () => {
      tries++;
      throw new Error("the disk is gone");
    });
    const task = mage.task("task", (_input: unknown, ctx) => ctx.resource("tmp", null, remove));
    await mage.worker();
    const run = await mage.run(task);
    expect(await run.settled()).toMatchObject({ status: "SUCCEEDED" });
    expect(tries).toBe(2);
    expect((await run.counts()).cleanupFailed).toBe(1);
    expect(await mage.logs({ rootId: run.id, contains: "CLEANUP_FAILED" })).toHaveLength(1);
  });

  test("gets its descriptor as any message: over what its plan binds, and under `result` if it is no object", async () => {
    const mage = open();
    const seen: unknown[] = [];
    const show = mage.task("show", (input: { result: number[]; force?: boolean }) => void seen.push(input));
    const first = mage.task("first", (input: { path: string; force: boolean }) => {
      seen.push(input);
      return [1];
    });
    const task = mage.task("task", async (_input: { path: string; mine: boolean }, ctx) => {
      await ctx.resource("ids", [1, 2], show);
      await ctx.resource("tmp", { path: "a" }, chain([first.with({ force: true }), show]));
    });
    await mage.worker();
    const run = await mage.run(task, { path: "not this", mine: true });
    await run.settled();
    expect(seen).toEqual([{ path: "a", force: true }, { result: [1] }, { result: [1, 2] }]);
    expect(await breaches(mage)).toEqual([]);
  });

  test("was held by functions of an earlier attempt too", async () => {
    const mage = open();
    const seen: string[] = [];
    const remove = releasing(mage, seen);
    const task = mage.task("task", { retry: TWICE }, async (_input: unknown, ctx) => {
      const path = `of ${ctx.attempt}`;
      if (ctx.attempt === 2) return ctx.resource("tmp", { path }, remove);
      await ctx.resource("tmp", { path }, () => {
        throw new Error("as if its worker had died");
      });
      throw new Error("again");
    });
    await mage.worker();
    await (await mage.run(task)).settled();
    expect(seen).toEqual(["remove of 2 after success of 1", "remove of 1 after success of 1"]);
  });

  test("is refused when it could never be released", async () => {
    const mage = open();
    const seen: unknown[] = [];
    const strict = mage.task("strict", { input: z.object({ path: z.string().min(2) }) }, () => {});
    const task = mage.task("task", async (_input: unknown, ctx) => {
      const refused = async (descriptor: unknown, plan: unknown): Promise<void> => {
        await ctx.resource("tmp", descriptor, plan as () => void).catch((error: { code: string }) => {
          seen.push(error.code);
        });
      };
      await refused({ path: "a" }, strict);
      await refused({ path: 1n }, strict);
      await refused({ path: "ab" }, undefined);
      await refused({ path: "ab" }, swarm(Array.from({ length: 9_000 }, () => strict)));
    });
    await mage.worker();
    const run = await mage.run(task);
    await run.settled();
    expect(seen).toEqual(["VALIDATION", "PAYLOAD", "INVALID_PLAN", "INVALID_PLAN"]);
    expect(await callbacks(run)).toEqual([]);
  });
});
