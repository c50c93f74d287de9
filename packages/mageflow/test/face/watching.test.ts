import { expect, test } from "vitest";
import {
  chain,
  type FlowEvent,
  type MageFlowError,
  NotFoundError,
  swarm,
  WaitTimeoutError,
} from "../../src/index.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

onEachStore("waiting", (open) => {
  test("result() gives up after its timeout, and the workflow goes on", async () => {
    const mage = open();
    const { wait, open: letGo } = gate();
    const task = mage.task("task", async () => {
      await wait();
      return 1;
    });
    await mage.worker();
    const run = await mage.run(task);
    await expect(run.result({ timeout: "20ms" })).rejects.toMatchObject({ code: "WAIT_TIMEOUT" });
    await expect(run.settled({ timeout: 20 })).rejects.toThrow(WaitTimeoutError);
    letGo();
    expect(await run.result({ timeout: "1m" })).toBe(1);
  });

  test("settled() waits for callbacks and cleanups, and tells a failure as an outcome", async () => {
    const mage = open();
    const { wait, open: letGo } = gate();
    const fail = mage.task("fail", () => {
      throw new Error("no");
    });
    const slow = mage.task("slow", () => wait());
    await mage.worker();
    const run = await mage.run(fail.onError(slow));
    await expect(run.result()).rejects.toThrow('"fail"');
    await expect(run.settled({ timeout: 20 })).rejects.toThrow(WaitTimeoutError);
    letGo();
    expect(await run.settled()).toEqual({
      id: run.id,
      status: "FAILED",
      error: expect.objectContaining({ message: "no" }),
    });
  });

  test("many may wait for one, before and after it has ended", async () => {
    const mage = open();
    const task = mage.task("task", () => 1);
    const run = await mage.run(task);
    const early = Array.from({ length: 10 }, () => run.result());
    await mage.worker();
    expect(await Promise.all(early)).toEqual(Array.from({ length: 10 }, () => 1));
    expect(await (await mage.get<number>(run.id)).result()).toBe(1);
  });

  test("another process may wait", async () => {
    const mage = open();
    const other = open();
    const run = await mage.run(mage.task("task", () => "ran"));
    const handle = await other.get(run.id);
    const result = handle.result();
    await mage.worker();
    expect(await result).toBe("ran");
  });
});

onEachStore("events", (open) => {
  test("have no gaps, tell everything in order, and end when all is settled", async () => {
    const mage = open();
    const step = mage.task("step", () => 1);
    const clean = mage.task("clean", () => {});
    const plan = chain([step, swarm([step, step])]).onCleanup(clean);
    await mage.worker();
    const run = await mage.run(plan);
    const events: FlowEvent[] = [];
    for await (const event of run.events({ since: 0 })) events.push(event);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(events[0]).toMatchObject({ id: run.id, type: "created" });
    expect(events.at(-1)).toMatchObject({ id: run.id, type: "settled", status: "SUCCEEDED" });
    const of = (id: string): string[] =>
      events.flatMap((event) =>
        event.id === `${run.id}${id}` && event.type !== "ready" ? [event.type] : [],
      );
    expect(of("")).toEqual(["created", "started", "succeeded", "settled"]);
    for (const id of [".0", ".1", ".1.0", ".1.1", ".cleanup0"])
      expect(of(id)).toEqual(["started", "succeeded"]);
    expect(events.every(({ at }, i) => i === 0 || at >= events[i - 1]!.at)).toBe(true);
  });

  test("go on from `since`, and begin with now without it", async () => {
    const mage = open();
    const { wait, reached, open: letGo } = gate();
    const task = mage.task("task", () => wait());
    await mage.worker();
    const run = await mage.run(chain([task, task]));
    await reached;
    const all: FlowEvent[] = [];
    const late = run.events();
    let isTold = false;
    const next = late.next().finally(() => (isTold = true));
    // Now is when the store was asked, which nobody sees from outside.
    while (!isTold) {
      await run.suspend();
      await run.resume();
    }
    letGo();
    const rest = [(await next).value as FlowEvent];
    for await (const event of late) rest.push(event);
    for await (const event of run.events({ since: 0 })) all.push(event);
    expect(rest[0]!.seq).toBeGreaterThan(1);
    expect(rest).toEqual(all.slice(-rest.length));
    const again: FlowEvent[] = [];
    for await (const event of run.events({ since: all[3]!.seq })) again.push(event);
    expect(again).toEqual(all.slice(4));
  });

  test("of something inside are its own and those inside it", async () => {
    const mage = open();
    const step = mage.task("step", () => 1);
    await mage.worker();
    const run = await mage.run(chain([...Array.from({ length: 11 }, () => step), swarm([step])]));
    await run.settled();
    const ids = new Set<string>();
    for await (const { id } of (await mage.get(`${run.id}.11`)).events({ since: 0 })) ids.add(id);
    expect([...ids].toSorted()).toEqual([`${run.id}.11`, `${run.id}.11.0`]);
    const one = new Set<string>();
    for await (const { id } of (await mage.get(`${run.id}.1`)).events({ since: 0 })) one.add(id);
    expect([...one]).toEqual([`${run.id}.1`]);
  });

  test("reach another process while things happen", async () => {
    const mage = open();
    const other = open();
    const run = await mage.run(mage.task("task", () => 1));
    const types: string[] = [];
    const watched = (async () => {
      for await (const { type } of (await other.get(run.id)).events({ since: 0 })) types.push(type);
    })();
    await mage.worker();
    await watched;
    expect(types).toEqual(["created", "ready", "started", "succeeded", "settled"]);
  });
});

onEachStore("looking", (open) => {
  test("children come by cursor, in order", async () => {
    const mage = open();
    const item = mage.task("item", () => 1);
    const run = await mage.run(swarm(Array.from({ length: 25 }, (_, n) => item.keyed(`k${n}`))));
    const keys: (string | null)[] = [];
    let pages = 0;
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof run.children>> = await run.children({
        limit: 10,
        ...(cursor === null ? {} : { cursor }),
      });
      keys.push(...page.items.map(({ key }) => key));
      cursor = page.next;
      pages++;
    } while (cursor !== null);
    expect(pages).toBe(3);
    expect(keys).toEqual(Array.from({ length: 25 }, (_, n) => `k${n}`));
  });

  test("counts and progress follow the items", async () => {
    const mage = open();
    const { wait, reached, open: letGo } = gate();
    const slow = mage.task("slow", () => wait());
    const quick = mage.task("quick", () => {});
    const fail = mage.task("fail", () => {
      throw new Error("no");
    });
    await mage.worker();
    const run = await mage.run(
      swarm([quick, fail, slow, quick.options({ delay: "1h" }), quick], { concurrency: 4 }),
    );
    await reached;
    for await (const { id, type } of run.events({ since: 0 }))
      if (id === `${run.id}.4` && type === "succeeded") break;
    expect(await run.counts()).toEqual({
      total: 5,
      pending: 0,
      ready: 0,
      running: 1,
      waiting: 1,
      suspended: 0,
      interrupted: 0,
      succeeded: 2,
      failed: 1,
      skipped: 0,
      cleanupFailed: 0,
    });
    expect(await run.status()).toMatchObject({
      status: "RUNNING",
      execution: "RUNNING",
      deletion: null,
      progress: { fraction: 0.6, note: null },
      heldBy: null,
    });
    letGo();
  });

  test("progress of what has ended is whole when it succeeded, else as far as it came", async () => {
    const mage = open();
    const task = mage.task("task", async (_: unknown, ctx) => ctx.progress(0.4, "begun"));
    const fail = mage.task("fail", async (_: unknown, ctx) => {
      await ctx.progress(0.6, "nearly");
      throw new Error("no");
    });
    const silent = mage.task("silent", () => {
      throw new Error("no");
    });
    await mage.worker();
    const progress = async (id: string): Promise<unknown> => (await (await mage.get(id)).status()).progress;
    const good = await mage.run(chain([task]));
    const bad = await mage.run(chain([fail, task]));
    const mute = await mage.run(silent);
    await Promise.all([good, bad, mute].map((run) => run.settled()));
    expect(await progress(good.id)).toEqual({ fraction: 1, note: null });
    expect(await progress(`${good.id}.0`)).toEqual({ fraction: 1, note: null });
    expect(await progress(`${bad.id}.0`)).toEqual({ fraction: 0.6, note: "nearly" });
    expect(await progress(`${bad.id}.1`)).toEqual({ fraction: 0, note: null });
    expect(await progress(mute.id)).toEqual({ fraction: 0, note: null });
  });

  test("lists are newest first, filtered, and paged by cursor", async () => {
    const mage = open();
    const a = mage.task("a", () => {});
    const b = mage.task("b", () => {
      throw new Error("no");
    });
    await mage.worker();
    const runs = [];
    for (let n = 0; n < 5; n++)
      runs.push(await mage.run(n % 2 === 0 ? a : b, undefined, { tags: [`n${n}`, "all"] }));
    const inside = await mage.run(chain([a.onSuccess(b)], { name: "outer" }));
    await Promise.all([...runs, inside].map((run) => run.settled()));
    const ids = async (filter: Parameters<typeof mage.list>[0]): Promise<string[]> =>
      (await mage.list(filter)).items.map(({ id }) => id);
    const newest = [...runs.map(({ id }) => id), inside.id].toReversed();
    expect((await ids({})).toSorted()).toEqual(newest.toSorted());
    expect(await ids({ tag: "n3" })).toEqual([runs[3]!.id]);
    expect((await ids({ tag: "all" })).length).toBe(5);
    expect((await ids({ status: "FAILED" })).toSorted()).toEqual([runs[1]!.id, runs[3]!.id].toSorted());
    expect((await ids({ status: ["FAILED", "SUCCEEDED"], name: ["b", "outer"] })).length).toBe(3);
    expect(await ids({ kind: "chain" })).toEqual([inside.id]);
    expect(await ids({ roots: false, role: "success" })).toEqual([`${inside.id}.0.success0`]);
    expect((await ids({ roots: false })).length).toBe(8);
    const paged: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof mage.list>> = await mage.list({
        limit: 2,
        ...(cursor === null ? {} : { cursor }),
      });
      paged.push(...page.items.map(({ id }) => id));
      cursor = page.next;
    } while (cursor !== null);
    expect(paged).toEqual(await ids({}));
  });

  test("arguments that cannot be meant are refused, with what is accepted", async () => {
    const mage = open();
    const run = await mage.run(swarm([mage.task("task", () => 1)]));
    const limits = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "5", null].map(
      (limit) => ({ limit }) as never,
    );
    const cursors = ["nonsense", "", "1.5", "-1", `${"9".repeat(20)} x`, 3, null].map(
      (cursor) => ({ cursor }) as never,
    );
    const seqs = [-1, 1.5, Number.NaN, "3", null];
    const calls: [() => Promise<unknown>, string][] = [
      ...limits.flatMap((page): [() => Promise<unknown>, string][] => [
        [() => mage.list(page), "from 1 to 500"],
        [() => run.children(page), "from 1 to 500"],
        [() => run.callbacks(page), "from 1 to 500"],
        [() => run.logs(page), "from 1 to 1000"],
        [() => mage.logs(page), "from 1 to 1000"],
      ]),
      ...cursors.flatMap((page): [() => Promise<unknown>, string][] => [
        [() => mage.list(page), "is not a cursor; pass back `next`"],
        [() => run.children(page), "is not a cursor; pass back `next`"],
        [() => run.callbacks(page), "is not a cursor; pass back `next`"],
      ]),
      ...seqs.flatMap((seq): [() => Promise<unknown>, string][] => [
        [() => mage.logs({ after: seq as never }), "`seq`"],
        [() => run.logs({ after: seq as never }), "`seq`"],
        [() => run.events({ since: seq as never }).next(), "`seq`"],
      ]),
      [() => mage.workers(0), "from 1 to 500"],
      [() => mage.workers(501), "from 1 to 500"],
      [() => mage.list({ limit: 501 }), "from 1 to 500"],
      [() => mage.logs({ limit: 1_001 }), "from 1 to 1000"],
      [() => mage.list({ status: "DONE" as never }), 'there is no status "DONE"; give one of PENDING, '],
      [() => mage.list({ status: [undefined as never] }), "there is no status undefined"],
      [() => mage.list({ kind: "foo" as never }), 'there is no kind "foo"; give one of task, chain, swarm'],
      [() => mage.list({ role: "parent" as never }), 'there is no role "parent"; give one of root, '],
      [() => mage.list({ name: 3 as never }), "name is 3; give a text"],
      [() => mage.list({ tag: ["a"] as never }), "tag is an array"],
      [() => mage.list({ root: {} as never }), "root is an object"],
      [() => mage.list({ roots: "no" as never }), 'roots is "no"; give true or false'],
      [() => mage.list({ marked: 1 as never }), "marked is 1; give true or false"],
      [
        () => mage.audit.list({ order: "last" as never }),
        'there is no order "last"; give one of oldest, newest',
      ],
      [() => mage.audit.list({ after: -1 }), "after is -1"],
      [() => mage.audit.list({ before: 1 } as never), 'an audit trail has no option "before"'],
      [() => mage.list({ statuses: "FAILED" } as never), 'a list has no option "statuses"; it has status, '],
      [() => mage.list(null as never), "the options of a list are null"],
      [
        () => mage.logs({ level: "foo" as never }),
        'there is no level "foo"; give one of debug, info, warn, error',
      ],
      [() => run.logs({ contains: 3 as never }), "contains is 3"],
      [() => run.logs({ inside: 1 as never }), "inside is 1"],
      [() => run.logs({ since: 1 } as never), 'no option "since"'],
      [() => mage.get(undefined as never), "id is undefined; give the id of a signature"],
      [() => mage.get(run as never), "id is an object"],
    ];
    const told = await Promise.all(
      calls.map(([call]) =>
        call().then(
          () => "nothing was refused",
          (error: MageFlowError) => error,
        ),
      ),
    );
    expect(told).toMatchObject(
      calls.map(([, message]) => ({ code: "INVALID_ARGUMENT", message: expect.stringContaining(message) })),
    );
  });

  test("callbacks come by cursor, in order", async () => {
    const mage = open();
    const note = mage.task("note", () => {});
    let plan = mage.task("task", () => 1);
    for (let n = 0; n < 5; n++) plan = plan.onSuccess(note);
    await mage.worker();
    const run = await mage.run(plan);
    await run.settled();
    const first = await run.callbacks({ limit: 3 });
    const second = await run.callbacks({ limit: 3, cursor: first.next! });
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(
      [0, 1, 2, 3, 4].map((n) => `${run.id}.success${n}`),
    );
    expect(second.next).toBe(null);
  });

  test("workers and tasks nobody runs are shown", async () => {
    const mage = open();
    const a = mage.task("a", () => {});
    mage.task("b", () => {});
    expect(mage.tasks).toEqual(["a", "b"]);
    await mage.run(swarm([a, a]));
    expect(await mage.unhandled()).toEqual(new Map([["a", 2]]));
    const worker = await mage.worker({ tasks: ["b"], concurrency: 7 });
    expect(await mage.unhandled()).toEqual(new Map([["a", 2]]));
    expect(await mage.workers()).toMatchObject([
      { id: worker.id, pid: process.pid, tasks: ["b"], concurrency: 7, endedAt: null },
    ]);
    await worker.stop();
    expect((await mage.workers())[0]!.endedAt).not.toBe(null);
  });

  test("an id that is not there is a NotFoundError", async () => {
    const mage = open();
    await expect(mage.get("nobody")).rejects.toThrow(NotFoundError);
    await expect(mage.get("nobody")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(mage.get("")).rejects.toThrow(NotFoundError);
    await expect(mage.get("nobody.0.success0")).rejects.toThrow(NotFoundError);
  });
});
