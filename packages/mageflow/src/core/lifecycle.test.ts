import { describe, expect, it } from "vitest";
import { AlreadyRunningError, IllegalTransitionError } from "./errors.ts";
import { relocked } from "./lock.ts";
import type { PlanNode } from "./plan.ts";
import { retryPolicy } from "./retry.ts";
import { chain, swarm, task, times } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

const suspend = (stage: Stage, id: string) => stage.send(id, { type: "suspend" });
const resume = (stage: Stage, id: string) => stage.send(id, { type: "resume" });

function staged(plan: PlanNode, start = true): Stage {
  const stage = new Stage();
  stage.submit(plan, { start });
  return stage;
}

const ok = task("ok");

describe("suspending", () => {
  it("keeps a ready task from being claimed until it is resumed", () => {
    const stage = staged(ok);
    suspend(stage, "r");
    expect(stage.status("r")).toBe("SUSPENDED");
    expect(stage.claim("r")).toBe(false);
    resume(stage, "r");
    expect(stage.status("r")).toBe("READY");
    stage.settle();
    expect(stage.journal.map((entry) => entry.type)).toEqual([
      "created",
      "ready",
      "suspended",
      "resumed",
      "ready",
      "started",
      "succeeded",
      "settled",
    ]);
  });

  it("is refused for a task that runs", () => {
    const stage = staged(ok);
    stage.claim("r");
    const before = stage.get("r");
    expect(() => suspend(stage, "r")).toThrow(AlreadyRunningError);
    expect(stage.get("r")).toBe(before);
  });

  it.each(["SUCCEEDED", "FAILED", "SKIPPED"])("is refused for what is %s, and so is resuming", (status) => {
    const stage = staged(chain([task("ok"), task("bad"), swarm([ok]), ok]));
    stage.settle();
    for (const id of stage.in(status as "FAILED")) {
      expect(() => suspend(stage, id)).toThrow(IllegalTransitionError);
      expect(() => resume(stage, id)).toThrow(
        expect.objectContaining({ code: "ILLEGAL_TRANSITION", status }),
      );
    }
  });

  it("again is a no-op, and so is resuming again", () => {
    const stage = staged(chain([swarm([ok, ok]), chain([ok])]));
    for (const id of ["r", "r.0", "r.0.0", "r.1", "r.1.0"]) {
      suspend(stage, id);
      const once = new Map(stage.records);
      suspend(stage, id);
      expect(stage.records).toEqual(once);
    }
    for (const id of ["r.1.0", "r.1", "r.0.0", "r.0", "r"]) {
      resume(stage, id);
      const once = new Map(stage.records);
      resume(stage, id);
      expect(stage.records).toEqual(once);
    }
    stage.settle();
  });

  it("resumes nothing that is not suspended", () => {
    const stage = staged(chain([ok, ok]));
    const before = new Map(stage.records);
    for (const id of before.keys()) resume(stage, id);
    stage.claim("r.0");
    const running = new Map(stage.records);
    resume(stage, "r.0");
    expect(stage.records).toEqual(running);
    stage.finish("r.0");
    stage.settle();
  });

  it("a chain lets the running step end, and starts nothing new (fault 31)", () => {
    const stage = staged(chain([ok, ok]));
    stage.claim("r.0");
    suspend(stage, "r");
    stage.finish("r.0");
    expect([stage.status("r"), stage.status("r.0"), stage.status("r.1")]).toEqual([
      "SUSPENDED",
      "SUCCEEDED",
      "PENDING",
    ]);
    resume(stage, "r");
    resume(stage, "r");
    expect(stage.order("READY", (id) => id === "r.1")).toEqual(["r.1"]);
    stage.settle();
  });

  it.each(["ok", "bad"])("a chain keeps its %s outcome for when it is resumed", (name) => {
    const stage = staged(
      chain([task(name), ...(name === "bad" ? [ok] : [])], { callbacks: { cleanup: [task("c")] } }),
    );
    stage.claim("r.0");
    suspend(stage, "r");
    stage.finish("r.0");
    expect(stage.status("r")).toBe("SUSPENDED");
    expect(stage.records.has("r.cleanup0")).toBe(false);
    resume(stage, "r");
    stage.settle();
    expect(stage.status("r")).toBe(name === "ok" ? "SUCCEEDED" : "FAILED");
  });

  it("a swarm frees nothing, and goes on where it stopped", () => {
    const stage = staged(swarm(times(6, ok), { concurrency: 2 }));
    stage.claim("r.0");
    suspend(stage, "r");
    stage.finish("r.0");
    expect(stage.claim("r.1")).toBe(false);
    expect(stage.get("r.1")).toMatchObject({ status: "PENDING", heldBy: "r" });
    resume(stage, "r");
    expect(stage.in("READY")).toEqual(["r.1", "r.2"]);
    expect(stage.get("r.1").heldBy).toBeNull();
    stage.settle();
  });

  it("an item gives its slot to the next one, and waits for a slot when it is resumed", () => {
    const stage = staged(swarm(times(4, ok), { concurrency: 2 }));
    suspend(stage, "r.0");
    expect(stage.in("READY")).toEqual(["r.1", "r.2"]);
    resume(stage, "r.0");
    expect(stage.in("READY")).toEqual(["r.1", "r.2"]);
    stage.run("r.1");
    expect(stage.in("READY")).toEqual(["r.0", "r.2"]);
    stage.audit();
    stage.settle();
  });

  it("an item that was not started yet takes no slot", () => {
    const stage = staged(swarm(times(4, ok), { concurrency: 1 }));
    suspend(stage, "r.2");
    stage.audit();
    stage.drain();
    expect(stage.in("SUCCEEDED")).toEqual(["r.0", "r.1", "r.3"]);
    resume(stage, "r.2");
    stage.settle();
    expect(stage.status("r")).toBe("SUCCEEDED");
  });

  it("a running container among the items keeps its slot", () => {
    const stage = staged(swarm([chain([ok]), ok], { concurrency: 1 }));
    suspend(stage, "r.0");
    stage.drain();
    expect(stage.status("r.1")).toBe("PENDING");
    resume(stage, "r.0");
    stage.settle();
  });

  it("a step before its turn holds the chain up when its turn comes", () => {
    for (const step of [ok, chain([ok]), swarm([ok])]) {
      const stage = staged(chain([ok, step, ok]));
      suspend(stage, "r.1");
      stage.drain();
      expect([stage.status("r.0"), stage.status("r.1"), stage.status("r.2")]).toEqual([
        "SUCCEEDED",
        "SUSPENDED",
        "PENDING",
      ]);
      resume(stage, "r.1");
      stage.settle();
      expect(stage.status("r")).toBe("SUCCEEDED");
    }
  });

  it("a step before its turn, resumed before its turn, waits for its turn", () => {
    const stage = staged(chain([ok, chain([ok])]));
    suspend(stage, "r.1");
    resume(stage, "r.1");
    expect(stage.in("READY")).toEqual(["r.0"]);
    expect(stage.status("r.1")).toBe("PENDING");
    stage.settle();
  });

  it("a step that is suspended when the chain fails is skipped", () => {
    const stage = staged(chain([task("bad"), ok, chain([ok])]));
    suspend(stage, "r.1");
    suspend(stage, "r.2");
    stage.settle();
    expect(stage.in("SKIPPED")).toEqual(["r.1", "r.2", "r.2.0"]);
  });

  it("an outer container holds what is deep inside, callbacks too", () => {
    const stage = staged(
      chain([swarm([chain([task("a", { callbacks: { success: [task("s")], cleanup: [task("c")] } })])])]),
    );
    stage.claim("r.0.0.0");
    suspend(stage, "r");
    stage.finish("r.0.0.0");
    for (const id of ["r.0.0.0.success0", "r.0.0.0.cleanup0"]) {
      expect(stage.get(id)).toMatchObject({ status: "PENDING", heldBy: "r" });
      expect(stage.claim(id)).toBe(false);
    }
    resume(stage, "r");
    stage.settle();
  });

  it("twice, by an inner and an outer container, needs both resumed, in either order", () => {
    for (const order of [
      ["r", "r.0"],
      ["r.0", "r"],
    ]) {
      const stage = staged(chain([swarm([ok, ok])]));
      suspend(stage, order[0]!);
      suspend(stage, order[1]!);
      stage.drain();
      resume(stage, order[0]!);
      stage.drain();
      expect(stage.in("RUNNING", "SUCCEEDED").filter((id) => id.startsWith("r.0."))).toEqual([]);
      resume(stage, order[1]!);
      stage.settle();
    }
  });

  it("a callback holds up nothing but itself and the settling", () => {
    const stage = staged(
      chain([task("a", { callbacks: { success: [task("s")], cleanup: [task("c0"), task("c1")] } }), ok]),
    );
    stage.run("r.0");
    suspend(stage, "r.0.success0");
    suspend(stage, "r.0.cleanup1");
    suspend(stage, "r.0.cleanup0");
    stage.drain();
    expect(stage.status("r")).toBe("SUCCEEDED");
    resume(stage, "r.0.cleanup0");
    stage.drain();
    expect(stage.status("r.0.cleanup0")).toBe("PENDING");
    resume(stage, "r.0.cleanup1");
    stage.drain();
    expect(stage.get("r").milestone).toBe(2);
    resume(stage, "r.0.success0");
    stage.settle();
  });

  it("keeps the time of what was delayed", () => {
    const stage = staged(task("a", { delay: 10_000 }));
    const due = stage.now + 10_000;
    stage.pass(3_000);
    suspend(stage, "r");
    stage.pass(3_000);
    resume(stage, "r");
    expect(stage.get("r")).toMatchObject({ status: "WAITING", dueAt: due });
    stage.pass(4_000);
    expect(stage.status("r")).toBe("READY");
  });

  it("lets a time pass that comes while it lasts", () => {
    const stage = staged(chain([task("a", { delay: 10_000 })]));
    suspend(stage, "r");
    stage.pass(10_000);
    expect(stage.get("r.0")).toMatchObject({ status: "PENDING", heldBy: "r" });
    stage.pass(10_000);
    resume(stage, "r");
    expect(stage.status("r.0")).toBe("READY");
    stage.settle();
  });

  it("holds a retry, and lets it go on with the same attempt", () => {
    const retry = retryPolicy({ attempts: 3, backoff: { type: "fixed", delay: 1_000, jitter: "none" } });
    for (const id of ["r", "r.0"]) {
      const stage = staged(chain([task("flaky", { retry })]));
      stage.run("r.0");
      suspend(stage, id);
      stage.pass(5_000);
      stage.drain();
      expect(stage.get("r.0").attempt).toBe(2);
      expect(stage.in("RUNNING").filter((one) => one === "r.0")).toEqual([]);
      resume(stage, id);
      stage.settle();
      expect(stage.get("r.0")).toMatchObject({ status: "SUCCEEDED", attempt: 2 });
    }
  });

  it("holds a task whose worker was lost", () => {
    const stage = staged(chain([ok]));
    stage.claim("r.0");
    suspend(stage, "r");
    stage.send("r.0", { type: "recover", epoch: 1 });
    expect(stage.claim("r.0")).toBe(false);
    resume(stage, "r");
    stage.settle();
    expect(stage.get("r.0").recoveries).toBe(1);
  });

  it("keeps the start that is asked for while it lasts", () => {
    const stage = staged(chain([ok]), false);
    suspend(stage, "r");
    stage.send("r", { type: "start" });
    expect(stage.status("r")).toBe("SUSPENDED");
    resume(stage, "r");
    stage.settle();
    expect(stage.status("r")).toBe("SUCCEEDED");
  });

  it("takes 1,300 held items a window at a time", () => {
    const stage = staged(chain([swarm(times(1_300, ok), { concurrency: null })]));
    while (stage.tidy());
    suspend(stage, "r");
    for (const record of stage.ready()) stage.claim(record.id);
    expect(stage.children("r.0").filter((item) => item.heldBy === "r")).toHaveLength(1_300);
    resume(stage, "r");
    expect(stage.in("READY")).toHaveLength(500);
    stage.settle();
  });

  it("suspended again in the middle of its windows, resumes completely", () => {
    const stage = staged(swarm(times(1_300, ok), { concurrency: null }));
    while (stage.tidy());
    suspend(stage, "r");
    for (const record of stage.ready()) stage.claim(record.id);
    resume(stage, "r");
    suspend(stage, "r");
    stage.drain();
    resume(stage, "r");
    stage.settle();
    expect(stage.get("r").family).toMatchObject({ succeeded: 1_300 });
  });

  it.each(["swarm", "chain"])(
    "a %s that ends while it is being resumed leaves nothing held behind",
    (kind) => {
      const callbacks = { success: [task("s")] };
      const first = task("a", { callbacks: { ...callbacks, cleanup: [task("c")] } });
      const many = swarm([first, ...times(500, task("a", { callbacks }))], { concurrency: null });
      const stage = staged(kind === "swarm" ? many : chain([many]));
      while (stage.tidy());
      for (const record of stage.ready()) stage.claim(record.id);
      suspend(stage, "r");
      const items = [...stage.records.values()]
        .filter((record) => record.role === "item")
        .map((record) => record.id);
      for (const id of items) stage.finish(id);
      expect([...stage.records.values()].filter((record) => record.heldBy === "r")).toHaveLength(502);
      resume(stage, "r");
      stage.run(`${items[0]}.cleanup0`);
      stage.settle();
    },
  );
});

describe("a lock", () => {
  const until = (stage: Stage, ms: number): void => {
    const lock = { token: "t", by: "somebody", until: stage.now + ms };
    stage.records.set("r", relocked(stage.get("r"), lock, stage.now));
  };

  it("keeps what was to start from starting, until it ends", () => {
    const stage = new Stage();
    stage.submit(chain([task("ok")]), { start: false });
    until(stage, 100);
    stage.send("r", { type: "start" });
    expect(stage.get("r")).toMatchObject({ status: "WAITING", dueAt: stage.now + 100 });
    stage.pass(99);
    expect(stage.status("r")).toBe("WAITING");
    stage.pass(1);
    expect(stage.status("r")).toBe("RUNNING");
  });

  it.each([50, 200])("that is taken again makes what waits for it wait for its new end, %d ms", (ms) => {
    const stage = new Stage();
    stage.submit(task("ok"), { start: false });
    until(stage, 100);
    stage.send("r", { type: "start" });
    until(stage, ms);
    expect(stage.get("r")).toMatchObject({ status: "WAITING", dueAt: stage.now + ms });
    stage.records.set("r", relocked(stage.get("r"), null, stage.now));
    stage.pass(0);
    expect(stage.status("r")).toBe("READY");
  });

  it("that is released does not bring forward what ends with it by chance", () => {
    const stage = new Stage();
    stage.submit(task("ok", { delay: 100 }));
    until(stage, 100);
    stage.records.set("r", relocked(stage.get("r"), null, stage.now));
    expect(stage.get("r")).toMatchObject({ status: "WAITING", dueAt: stage.now + 100 });
  });

  it("keeps what is ready from being claimed, and does not touch what runs", () => {
    const stage = new Stage();
    stage.submit(task("ok"));
    until(stage, 100);
    expect(stage.claim("r")).toBe(false);
    expect(stage.get("r")).toMatchObject({ status: "WAITING", dueAt: stage.now + 100 });
    stage.pass(100);
    stage.claim("r");
    until(stage, 100);
    stage.finish("r");
    expect(stage.status("r")).toBe("SUCCEEDED");
  });

  it("longer than the delay of what it keeps comes after that delay, so that its end does not bring the delay forward", () => {
    const stage = new Stage();
    stage.submit(task("ok", { delay: 50 }), { start: false });
    until(stage, 100);
    stage.send("r", { type: "start" });
    expect(stage.get("r").dueAt).toBe(stage.now + 50);
    stage.pass(50);
    expect(stage.get("r")).toMatchObject({ status: "WAITING", dueAt: stage.now + 50 });
    stage.pass(50);
    expect(stage.status("r")).toBe("READY");
  });
});
