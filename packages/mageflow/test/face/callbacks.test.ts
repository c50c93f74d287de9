import { expect, test } from "vitest";
import { z } from "zod";
import { type Cause, chain, type MageFlow, swarm, type TaskPlan } from "../../src/index.ts";
import { gate } from "./gate.ts";
import { happened } from "./happened.ts";
import { onEachStore } from "./on-each-store.ts";

/** Tasks that note their name when they run. */
function noting(mage: MageFlow): {
  notes: string[];
  note: (name: string) => TaskPlan<unknown, null, unknown>;
} {
  const notes: string[] = [];
  return { notes, note: (name) => mage.task(name, () => void notes.push(name)) };
}

function failing(mage: MageFlow, name = "fail"): TaskPlan<unknown, null, unknown> {
  return mage.task(name, () => {
    throw new Error(`${name} failed`);
  });
}

onEachStore("callbacks", (open) => {
  test("of success, or of error, and cleanup in any case", async () => {
    const mage = open();
    const { notes, note } = noting(mage);
    const callbacks = [note("success"), note("error"), note("cleanup")] as const;
    const ok = mage.task("ok", () => {});
    const fail = failing(mage);
    await mage.worker();
    const [success, error, cleanup] = callbacks;
    await (await mage.run(ok.onSuccess(success).onError(error).onCleanup(cleanup))).settled();
    expect(notes.splice(0).toSorted()).toEqual(["cleanup", "success"]);
    await (await mage.run(fail.onSuccess(success).onError(error).onCleanup(cleanup))).settled();
    expect(notes.toSorted()).toEqual(["cleanup", "error"]);
  });

  test("of items fire for every item", async () => {
    const mage = open();
    const seen: string[] = [];
    const tell = (name: string): TaskPlan<unknown, null, unknown> =>
      mage.task(name, (_input: unknown, { cause }) => void seen.push(`${name} ${cause!.item!.index}`));
    const item = mage.task("item", ({ n }: { n: number }) => {
      if (n === 1) throw new Error("no");
    });
    const options = {
      onItemSuccess: tell("success"),
      onItemError: tell("error"),
      onItemCleanup: tell("cleanup"),
    };
    await mage.worker();
    await (
      await mage.run(
        swarm(
          [0, 1, 2].map((n) => item.with({ n })),
          options,
        ),
      )
    ).settled();
    expect(seen.toSorted()).toEqual([
      "cleanup 0",
      "cleanup 1",
      "cleanup 2",
      "error 1",
      "success 0",
      "success 2",
    ]);
  });

  test("become ready inside out: the item's, the inner container's, the outer one's", async () => {
    const mage = open();
    const { note } = noting(mage);
    const ok = mage.task("ok", () => {});
    const plan = chain([
      swarm([ok.onSuccess(note("own")).onCleanup(note("clean"))], { onItemSuccess: note("item") }).onSuccess(
        note("inner"),
      ),
    ])
      .onSuccess(note("outer"))
      .onCleanup(note("clean all"));
    await mage.worker();
    const run = await mage.run(plan);
    await run.settled();
    const first: string[] = [];
    for await (const { id, type } of run.events({ since: 0 })) {
      const place = id.slice(run.id.length + 1);
      // What is made ready and taken by one transaction is told as started.
      if ((type === "ready" || type === "started") && /[a-z]/.test(place) && !first.includes(place))
        first.push(place);
    }
    const [ofItem, outward] = [first.filter((place) => place.startsWith("0.0.")), ["0.success0", "success0"]];
    expect(ofItem.toSorted()).toEqual(["0.0.cleanup0", "0.0.itemSuccess0", "0.0.success0"]);
    expect(first.filter((place) => outward.includes(place))).toEqual(outward);
    for (const place of ["0.0.itemSuccess0", "0.0.success0"]) {
      expect(first.indexOf(place)).toBeLessThan(first.indexOf("0.success0"));
    }
    expect(first.at(-1)).toBe("cleanup0");
  });

  test("change no outcome and hold up no parent", async () => {
    const mage = open();
    const { wait, open: let_go } = gate();
    const ok = mage.task("ok", () => 1);
    const slow = mage.task("slow", () => wait());
    await mage.worker();
    const run = await mage.run(chain([ok.onSuccess(slow).onSuccess(failing(mage)), ok]));
    expect(await run.result()).toBe(1);
    expect((await run.status()).status).toBe("SUCCEEDED");
    let_go();
    expect(await run.settled()).toMatchObject({ status: "SUCCEEDED", result: 1 });
    const step = await mage.get(`${run.id}.0`);
    const { items } = await step.callbacks();
    expect(items.map(({ name, role, status }) => [name, role, status])).toEqual([
      ["slow", "success", "SUCCEEDED"],
      ["fail", "success", "FAILED"],
    ]);
  });

  test("what was never reached has none", async () => {
    const mage = open();
    const { notes, note } = noting(mage);
    const ok = mage.task("ok", () => {});
    const never = ok.onSuccess(note("success")).onError(note("error")).onCleanup(note("cleanup"));
    await mage.worker();
    const run = await mage.run(chain([failing(mage), never, swarm([never]).onCleanup(note("of swarm"))]));
    await run.settled();
    expect(notes).toEqual([]);
  });

  test("know what they follow, also deep inside", async () => {
    const mage = open();
    const causes: Record<string, Cause | null> = {};
    const tell = (name: string): TaskPlan<unknown, null, unknown> =>
      mage.task(name, (_input: unknown, ctx) => void (causes[name] = ctx.cause));
    const item = mage.task("item", ({ n }: { n: number }) => {
      if (n === 1) throw Object.assign(new Error("one"), { code: "E_ONE" });
      return { n };
    });
    const plan = swarm(
      [0, 1].map((n) => item.with({ n }).keyed(`k${n}`)),
      {
        name: "all",
        onItemSuccess: tell("item success"),
        onItemError: chain([tell("first"), swarm([tell("deep")])]),
      },
    ).onSuccess(tell("swarm success"));
    await mage.worker();
    const run = await mage.run(plan);
    await run.settled();
    expect(causes["item success"]).toEqual({
      id: `${run.id}.0`,
      name: "item",
      kind: "task",
      generation: 1,
      outcome: "success",
      input: { n: 0 },
      result: { n: 0 },
      item: { index: 0, key: "k0" },
    });
    expect(causes["deep"]).toEqual({
      id: `${run.id}.1`,
      name: "item",
      kind: "task",
      generation: 1,
      outcome: "error",
      input: { n: 1 },
      error: expect.objectContaining({
        name: "Error",
        message: "one",
        code: "E_ONE",
        attempts: 1,
        path: [
          { id: run.id, name: "all", kind: "swarm", slot: 0 },
          { id: `${run.id}.1`, name: "item", kind: "task", slot: 1 },
        ],
      }),
      item: { index: 1, key: "k1" },
    });
    expect(causes["first"]).toEqual(causes["deep"]);
    expect(causes["swarm success"]).toMatchObject({
      id: run.id,
      kind: "swarm",
      outcome: "success",
      result: { total: 2, succeeded: 1, failed: 1 },
    });
  });

  test("there is no cause outside of callbacks", async () => {
    const mage = open();
    const plan = mage.task("plain", (_input: unknown, ctx) => ctx.cause === null);
    await mage.worker();
    expect(await (await mage.run(chain([plan]))).result()).toBe(true);
  });

  test("may have callbacks themselves", async () => {
    const mage = open();
    const { notes, note } = noting(mage);
    const ok = mage.task("ok", () => {});
    await mage.worker();
    const plan = ok.onSuccess(note("a").onSuccess(note("b").onCleanup(note("c"))));
    await (await mage.run(plan)).settled();
    expect(notes).toEqual(["a", "b", "c"]);
  });

  test("of one kind all fire, in the order in which they were added", async () => {
    const mage = open();
    const notes: number[] = [];
    // Of one task: an engine may bring those of several in any order.
    const note = mage.task("note", ({ n }: { n: number }) => void notes.push(n));
    const plan = [1, 2, 3].reduce(
      (ok, n) => ok.onSuccess(note.with({ n })),
      mage.task("ok", () => {}),
    );
    await mage.worker({ concurrency: 1 });
    await (await mage.run(plan)).settled();
    expect(notes).toEqual([1, 2, 3]);
  });
});

onEachStore("cleanup", (open) => {
  test("runs one after the other, last registered first, the signature's own before those of its swarm", async () => {
    const mage = open();
    const { notes, note } = noting(mage);
    const ok = mage.task("ok", () => {});
    const item = ok.onCleanup(note("1")).onCleanup(note("2"));
    await mage.worker();
    await (await mage.run(swarm([item], { onItemCleanup: note("of items") }))).settled();
    expect(notes).toEqual(["2", "1", "of items"]);
  });

  test("of an outer container comes after the inner ones have ended", async () => {
    const mage = open();
    const { notes, note } = noting(mage);
    const { wait, reached, open: letGo } = gate();
    const slow = mage.task("slow", async () => {
      await wait();
      notes.push("slow");
    });
    const ok = mage.task("ok", () => {});
    const plan = chain([swarm([ok.onCleanup(slow)]).onCleanup(note("inner"))]).onCleanup(note("outer"));
    await mage.worker();
    const run = await mage.run(plan);
    await run.result();
    await reached;
    expect(notes).toEqual([]);
    letGo();
    await run.settled();
    expect(notes).toEqual(["slow", "inner", "outer"]);
  });

  test("waits for no success callback to end", async () => {
    const mage = open();
    const { wait, open: letGo } = gate();
    const slow = mage.task("slow", () => wait());
    const cleaned = Promise.withResolvers<void>();
    const clean = mage.task("clean", () => cleaned.resolve());
    const ok = mage.task("ok", () => {});
    await mage.worker();
    const run = await mage.run(ok.onSuccess(slow).onCleanup(clean));
    await cleaned.promise;
    expect(await run.callbacks()).toMatchObject({
      items: [{ role: "cleanup" }, { role: "success", status: "RUNNING" }],
    });
    letGo();
    await run.settled();
  });

  test("that fails is visible, changes no outcome and does not stop the next", async () => {
    const mage = open();
    const { notes, note } = noting(mage);
    const ok = mage.task("ok", () => 1);
    await mage.worker();
    const run = await mage.run(ok.onCleanup(note("first added")).onCleanup(failing(mage)));
    expect(await run.settled()).toMatchObject({ status: "SUCCEEDED", result: 1 });
    expect(notes).toEqual(["first added"]);
    expect((await run.counts()).cleanupFailed).toBe(1);
    const { items } = await mage.list({ role: "cleanup", roots: false, status: "FAILED" });
    expect(items).toMatchObject([{ name: "fail", parentId: run.id, error: { message: "fail failed" } }]);
    const fields = JSON.stringify({ code: "CLEANUP_FAILED", of: run.id, error: "Error: fail failed" });
    expect(await run.logs({ inside: true, level: "error" })).toMatchObject([
      { id: items[0]!.id, attempt: 1, message: 'CLEANUP_FAILED: the cleanup "fail" failed', fields },
    ]);
  });

  test("that is a container tells of its failure once, whatever its attempts", async () => {
    const mage = open();
    const retry = { attempts: 3, backoff: { type: "fixed", delay: 0 } } as const;
    const fail = mage.task("fail", { retry }, () => {
      throw new Error("no");
    });
    const ok = mage.task("ok", () => 1);
    await mage.worker();
    const run = await mage.run(ok.onCleanup(chain([fail], { name: "tidy" }).onCleanup(ok)));
    expect(await run.settled()).toMatchObject({ status: "SUCCEEDED" });
    const told = await run.logs({ inside: true, contains: "CLEANUP_FAILED" });
    expect(told.map(({ message }) => message)).toEqual(['CLEANUP_FAILED: the cleanup "tidy" failed']);
    expect((await run.counts()).cleanupFailed).toBe(1);
  });

  test("runs when it was over before its code began", async () => {
    const mage = open();
    const { notes, note } = noting(mage);
    const ran: string[] = [];
    const code = ({ n }: { n: number }): void => void ran.push(`ran ${n}`);
    const task = mage.task("task", code);
    const strict = mage.task("strict", { input: z.object({ n: z.number() }) }, code);
    const give = mage.task("give", () => ({ n: "no number" }));
    const cleanups = ["interrupted", "cancelled", "unfit"].map(note);
    await mage.worker({ tasks: ["give", "strict", "interrupted", "cancelled", "unfit"] });
    const stopped = await mage.create(task.with({ n: 2 }).onCleanup(cleanups[0]!));
    await stopped.interrupt();
    expect(await stopped.settled()).toMatchObject({ status: "INTERRUPTED" });
    const cancelled = await mage.create(task.with({ n: 3 }).onCleanup(cleanups[1]!));
    await (await cancelled.planCancel()).confirm();
    expect(await cancelled.settled()).toMatchObject({ status: "CANCELLED" });
    const unfit = await mage.run(chain([give, strict.onCleanup(cleanups[2]!) as never]));
    expect(await unfit.settled()).toMatchObject({ status: "FAILED", error: { code: "VALIDATION" } });
    expect([notes, ran]).toEqual([["interrupted", "cancelled", "unfit"], []]);
  });

  test("has its own retries", async () => {
    const mage = open();
    let tries = 0;
    const retry = { attempts: 3, backoff: { type: "fixed", delay: 0 } } as const;
    const clean = mage.task("clean", { retry }, () => {
      if (++tries < 3) throw new Error("not yet");
    });
    const ok = mage.task("ok", () => {});
    await mage.worker();
    const run = await mage.run(ok.onCleanup(clean));
    await run.settled();
    expect(tries).toBe(3);
    expect((await run.counts()).cleanupFailed).toBe(0);
  });

  test("runs after a timeout, once over all attempts", async () => {
    const mage = open();
    const { notes, note } = noting(mage);
    const retry = { attempts: 2, backoff: { type: "fixed", delay: 0 } } as const;
    const slow = mage.task("slow", { timeout: 20, retry }, async (_input: unknown, { signal }) => {
      await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    });
    await mage.worker();
    const run = await mage.run(slow.onCleanup(note("cleanup")));
    expect(await run.settled()).toMatchObject({ status: "FAILED", error: { code: "TIMEOUT", attempts: 2 } });
    expect(notes).toEqual(["cleanup"]);
    await happened(run, "settled");
  });
});
