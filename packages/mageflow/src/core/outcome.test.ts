import { describe, expect, it } from "vitest";
import type { PlanNode } from "./plan.ts";
import { retryPolicy } from "./retry.ts";
import { byName, chain, fail, swarm, task } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

const retry = retryPolicy({ attempts: 2, backoff: { type: "fixed", delay: 10, jitter: "none" } });
const callbacks = {
  success: [task("s0"), task("s1")],
  error: [task("e0"), task("e1")],
  cleanup: [task("c0"), task("c1")],
};

function settled(plan: PlanNode): Stage {
  const stage = new Stage();
  stage.submit(plan);
  stage.settle();
  return stage;
}

/** Ids of tasks in the order in which they began, and ended. */
const began = (stage: Stage) => stage.order("RUNNING", (id) => stage.get(id).kind === "task");

describe("callbacks", () => {
  it.each<[string, PlanNode, string]>([
    ["task", task("ok", { callbacks }), "success"],
    ["task", task("bad", { callbacks }), "error"],
    ["task", task("flaky", { callbacks, retry }), "success"],
    ["task", task("dead", { callbacks, retry }), "error"],
    ["chain", chain([task("ok"), task("ok")], { callbacks }), "success"],
    ["chain", chain([task("bad"), task("ok")], { callbacks }), "error"],
    ["swarm", swarm([task("ok"), task("bad")], { callbacks }), "success"],
    ["swarm", swarm([task("bad")], { callbacks }), "error"],
    ["swarm", swarm([task("bad"), task("ok")], { callbacks, stopAfterFailures: 0 }), "error"],
  ])("of a %s: each once, on its outcome only (%#)", (_kind, plan, outcome) => {
    const stage = settled(plan);
    const fired = stage
      .children("r")
      .flatMap(({ role, id }) => (role === "step" || role === "item" ? [] : [id]));
    expect(fired.toSorted()).toEqual(["r.cleanup0", "r.cleanup1", `r.${outcome}0`, `r.${outcome}1`]);
    for (const id of fired) expect(stage.order("SUCCEEDED", (one) => one === id)).toEqual([id]);
  });

  it("of items are declared once and fire for each, besides the item's own", () => {
    const stage = settled(
      swarm([task("ok", { callbacks }), task("bad"), chain([task("ok")]), swarm([task("bad")])], {
        itemCallbacks: { success: [task("is")], error: [task("ie")], cleanup: [task("ic")] },
      }),
    );
    const fired = [...stage.records.keys()].filter((id) => /[a-z]\d+$/.test(id)).toSorted();
    expect(fired).toEqual([
      "r.0.cleanup0",
      "r.0.cleanup1",
      "r.0.itemCleanup0",
      "r.0.itemSuccess0",
      "r.0.success0",
      "r.0.success1",
      "r.1.itemCleanup0",
      "r.1.itemError0",
      "r.2.itemCleanup0",
      "r.2.itemSuccess0",
      "r.3.itemCleanup0",
      "r.3.itemError0",
    ]);
  });

  it("of items have their specs stored once, at submit", () => {
    const stage = settled(swarm([task("a"), task("b")], { itemCallbacks: { success: [task("is")] } }));
    expect(stage.status("r.0.itemSuccess0")).toBe("SUCCEEDED");
    expect(stage.status("r.1.itemSuccess0")).toBe("SUCCEEDED");
    expect(stage.specs.size).toBe(4);
  });

  it("may be containers with callbacks of their own", () => {
    const deep = chain(
      [task("x"), swarm([task("y"), task("bad")], { itemCallbacks: { error: [task("note")] } })],
      {
        callbacks: { success: [task("after")], cleanup: [task("tidy")] },
      },
    );
    const stage = settled(task("ok", { callbacks: { success: [deep], cleanup: [deep] } }));
    for (const root of ["r.success0", "r.cleanup0"]) {
      expect(stage.status(root)).toBe("SUCCEEDED");
      expect(stage.status(`${root}.1.1.itemError0`)).toBe("SUCCEEDED");
      expect(stage.status(`${root}.success0`)).toBe("SUCCEEDED");
      expect(stage.status(`${root}.cleanup0`)).toBe("SUCCEEDED");
    }
  });

  it("fire in the commit of the outcome, and the parent goes on without waiting for them", () => {
    const stage = new Stage();
    stage.submit(chain([task("a", { callbacks: { success: [task("s")] } }), task("b")]));
    stage.run("r.0");
    expect(stage.in("READY")).toEqual(["r.0.success0", "r.1"]);
    stage.run("r.1");
    expect(stage.status("r")).toBe("SUCCEEDED");
    expect(stage.get("r").milestone).toBeLessThan(3);
    stage.settle();
  });

  it("become ready inside out: the item's, the inner container's, the wrapper's", () => {
    const stage = new Stage();
    const success = { success: [task("s")] };
    stage.submit(
      chain([swarm([task("a")], { callbacks: success, itemCallbacks: success })], { callbacks: success }),
    );
    stage.run("r.0.0");
    const order = ["r.0.0.itemSuccess0", "r.0.success0", "r.success0"];
    expect(stage.order("READY").slice(1)).toEqual(order);
    expect(stage.ready().map((record) => record.id)).toEqual(order);
  });

  it("that fail or crash leave the outcome as it is, and fire their own callbacks (fault 29)", () => {
    const stage = settled(
      task("ok", {
        callbacks: {
          success: [
            task("bad", {
              retry,
              callbacks: { error: [task("bad2"), task("alert")], success: [task("never")] },
            }),
          ],
        },
      }),
    );
    expect(stage.status("r")).toBe("SUCCEEDED");
    expect(stage.get("r.success0")).toMatchObject({ status: "FAILED", attempt: 2 });
    expect(stage.get("r.success0.error0").status).toBe("FAILED");
    expect(stage.get("r.success0.error1").status).toBe("SUCCEEDED");
    expect(stage.records.size).toBe(4);
    expect(stage.get("r.success0").error?.path.map((entry) => entry.id)).toEqual(["r", "r.success0"]);
  });

  it("have a priority of their own, or their owner's", () => {
    const stage = new Stage();
    stage.submit(
      task("a", { priority: 7, callbacks: { success: [task("x"), task("y", { priority: -1 })] } }),
    );
    stage.run("r");
    expect([stage.get("r.success0").priority, stage.get("r.success1").priority]).toEqual([7, -1]);
  });

  it("wait for their time", () => {
    const stage = new Stage();
    stage.submit(task("a", { callbacks: { success: [task("later", { delay: 1_000 })] } }));
    stage.run("r");
    expect(stage.status("r.success0")).toBe("WAITING");
    stage.settle();
  });
});

describe("cleanups", () => {
  const cleanup = [task("c0"), task("c1"), task("c2")];

  it("run one after the other, last registered first", () => {
    const stage = new Stage();
    stage.submit(task("a", { callbacks: { cleanup } }));
    stage.run("r");
    for (const slot of [2, 1, 0]) {
      expect(stage.in("READY")).toEqual([`r.cleanup${slot}`]);
      stage.claim(`r.cleanup${slot}`);
      expect(stage.in("READY")).toEqual([]);
      stage.finish(`r.cleanup${slot}`);
    }
    stage.expectSettled();
  });

  it("wait for retries of the one before", () => {
    const stage = new Stage();
    stage.submit(task("a", { callbacks: { cleanup: [task("first"), task("flaky", { retry })] } }));
    stage.run("r");
    stage.run("r.cleanup1");
    expect(stage.in("PENDING")).toEqual(["r.cleanup0"]);
    stage.pass(10);
    stage.run("r.cleanup1");
    expect(stage.in("READY")).toEqual(["r.cleanup0"]);
    stage.settle();
  });

  it("of an item: its own first, then its swarm's, each last registered first", () => {
    const stage = settled(
      swarm([task("a", { callbacks: { cleanup: [task("own0"), task("own1")] } })], {
        itemCallbacks: { cleanup: [task("item0"), task("item1")] },
        callbacks: { cleanup: [task("whole")] },
      }),
    );
    expect(began(stage)).toEqual([
      "r.0",
      "r.0.cleanup1",
      "r.0.cleanup0",
      "r.0.itemCleanup1",
      "r.0.itemCleanup0",
      "r.cleanup0",
    ]);
  });

  it("of an outer container come after the inner ones have ended", () => {
    const stage = new Stage();
    const one = { cleanup: [task("c")] };
    stage.submit(
      chain([swarm([task("a", { callbacks: one }), task("b", { callbacks: one })], { callbacks: one })], {
        callbacks: one,
      }),
    );
    stage.run("r.0.0");
    stage.run("r.0.1");
    expect([stage.status("r.0"), stage.status("r")]).toEqual(["SUCCEEDED", "SUCCEEDED"]);
    expect(stage.in("READY")).toEqual(["r.0.0.cleanup0", "r.0.1.cleanup0"]);
    stage.run("r.0.1.cleanup0");
    expect(stage.in("READY")).toEqual(["r.0.0.cleanup0"]);
    stage.run("r.0.0.cleanup0");
    expect(stage.in("READY")).toEqual(["r.0.cleanup0"]);
    stage.run("r.0.cleanup0");
    expect(stage.in("READY")).toEqual(["r.cleanup0"]);
    stage.settle();
  });

  it("come after success and error callbacks have been scheduled, and do not wait for their end", () => {
    const stage = new Stage();
    stage.submit(task("a", { callbacks }));
    stage.run("r");
    expect(stage.in("READY")).toEqual(["r.cleanup1", "r.success0", "r.success1"]);
    expect(stage.order("READY").slice(1)).toEqual(["r.success0", "r.success1", "r.cleanup1"]);
    stage.settle();
  });

  it("do not hold up the next step", () => {
    const stage = new Stage();
    stage.submit(
      chain([task("a", { callbacks: { cleanup } }), task("b")], { callbacks: { success: [task("s")] } }),
    );
    stage.run("r.0");
    stage.run("r.1");
    expect(stage.status("r")).toBe("SUCCEEDED");
    expect(stage.in("READY")).toEqual(["r.0.cleanup2", "r.success0"]);
    stage.settle();
  });

  it("that fail are counted and change no outcome (fault 30)", () => {
    for (const name of ["ok", "bad"]) {
      const stage = settled(
        chain([
          task(name, {
            callbacks: { cleanup: [task("c"), task("bad"), chain([task("bad")])], success: [task("s")] },
          }),
        ]),
      );
      const outcome = name === "ok" ? "SUCCEEDED" : "FAILED";
      expect([stage.status("r"), stage.status("r.0")]).toEqual([outcome, outcome]);
      expect(stage.get("r.0").family).toMatchObject({ cleanups: 3, cleanupsEnded: 3, cleanupsFailed: 2 });
      expect(stage.status("r.0.cleanup0")).toBe("SUCCEEDED");
    }
  });

  it.each([
    ["success", (stage: Stage) => stage.run("r")],
    ["failure", (stage: Stage) => stage.run("r", fail())],
    [
      "a passed deadline",
      (stage: Stage) => {
        stage.claim("r");
        stage.send("r", { type: "release", epoch: 1 });
        stage.pass(10_000);
      },
    ],
    [
      "a crash loop",
      (stage: Stage) => {
        while (stage.status("r") === "READY") {
          stage.claim("r");
          stage.send("r", { type: "recover", epoch: stage.get("r").epoch });
        }
      },
    ],
  ])("run once after %s, whether they succeed, retry or fail", (_what, end) => {
    for (const name of ["ok", "bad", "flaky", "dead"]) {
      const stage = new Stage();
      stage.submit(task("a", { totalTimeout: 10_000, callbacks: { cleanup: [task(name, { retry })] } }));
      end(stage);
      const outcome = stage.status("r");
      expect(["SUCCEEDED", "FAILED"]).toContain(outcome);
      stage.settle();
      expect(stage.status("r")).toBe(outcome);
      expect(stage.children("r").map((child) => child.id)).toEqual(["r.cleanup0"]);
      expect(stage.get("r").family!.cleanupsFailed).toBe(name === "bad" || name === "dead" ? 1 : 0);
    }
  });

  it("of a swarm whose rest was skipped wait for what ran only", () => {
    const stage = settled(
      swarm(
        [
          task("bad", { callbacks: { cleanup } }),
          ...Array.from({ length: 5 }, () => task("x", { callbacks: { cleanup } })),
        ],
        {
          concurrency: 1,
          stopAfterFailures: 0,
          callbacks: { cleanup: [task("whole")] },
        },
      ),
    );
    expect(began(stage)).toEqual(["r.0", "r.0.cleanup2", "r.0.cleanup1", "r.0.cleanup0", "r.cleanup0"]);
  });
});

describe("milestones", () => {
  it("settle the root after everything under it has ended, and tell so once", () => {
    const stage = new Stage();
    const late = task("late", { delay: 60_000, callbacks: { cleanup: [task("last", { delay: 60_000 })] } });
    stage.submit(
      chain([
        task("a", { callbacks: { success: [chain([task("b", { callbacks: { success: [late] } })])] } }),
      ]),
    );
    stage.run("r.0");
    expect(stage.status("r")).toBe("SUCCEEDED");
    while (stage.get("r").milestone < 3) {
      expect(stage.journal.some((entry) => entry.type === "settled")).toBe(false);
      const [next] = stage.ready();
      if (next === undefined) stage.pass(stage.nextDue()! - stage.now);
      else stage.run(next.id, byName(next));
    }
    stage.expectSettled();
    expect(stage.journal.filter((entry) => entry.type === "settled").map((entry) => entry.id)).toEqual(["r"]);
    expect(stage.journal.at(-1)).toMatchObject({ id: "r", type: "settled" });
  });

  it("never go back, and a parent never takes one twice", () => {
    const stage = new Stage({ order: (round) => round });
    stage.submit(
      swarm([task("a", { callbacks }), chain([task("b", { callbacks })])], {
        callbacks,
        itemCallbacks: callbacks,
      }),
    );
    let before = new Map(stage.records);
    while (stage.ready().length > 0) {
      stage.run(stage.ready()[0]!.id);
      for (const [id, record] of before)
        expect(stage.get(id).milestone).toBeGreaterThanOrEqual(record.milestone);
      before = new Map(stage.records);
      stage.audit();
    }
    const swarmRecord = stage.get("r");
    for (const child of stage.children("r")) {
      stage.send("r", { type: "credit", credits: [{ child, from: child.credited }] });
    }
    expect(stage.get("r")).toEqual(swarmRecord);
    stage.expectSettled();
  });
});
