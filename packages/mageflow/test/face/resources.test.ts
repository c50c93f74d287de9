import { expect, test } from "vitest";
import { ALL_RESUME } from "../../src/core/recovery.ts";
import type { MageFlow } from "../../src/index.ts";
import { sampleWorker } from "../../src/testing/store-suite/sample-worker.ts";
import { gate } from "./gate.ts";
import { onEachStore } from "./on-each-store.ts";

const AT_ONCE = { type: "fixed", delay: 0 } as const;

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
    const worker = await mage.worker({ grace: 10 });
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
    const task = mage.task(
      "task",
      { retry: { attempts: 2, backoff: AT_ONCE } },
      async (_input: unknown, ctx) => {
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
      },
    );
    await mage.worker();
    await (await mage.run(task)).result();
    expect(seen).toEqual(["1 a", "2 a", "not now", "2 a", "2 a"]);
  });
});
