import { describe, expect, it } from "vitest";
import { LeaseLostError } from "./errors.ts";
import { retryPolicy } from "./retry.ts";
import { chain, fail, succeed, swarm, task } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";
import { loss } from "./task.ts";

const every = (delay: number, attempts = 3) =>
  retryPolicy({ attempts, backoff: { type: "fixed", delay, jitter: "none" } });

function staged(...given: Parameters<typeof task>): Stage {
  const stage = new Stage();
  stage.submit(task(...given));
  return stage;
}

describe("a task", () => {
  it("goes from its start over a claim to its result", () => {
    const stage = new Stage();
    stage.submit(task("a"), { start: false });
    expect(stage.claim("r")).toBe(false);
    expect(stage.status("r")).toBe("PENDING");
    stage.send("r", { type: "start" });
    expect(stage.get("r")).toMatchObject({ status: "READY", readyAt: stage.now, attempt: 0, epoch: 0 });
    stage.pass(10);
    expect(stage.claim("r")).toBe(true);
    expect(stage.get("r")).toMatchObject({
      status: "RUNNING",
      workerId: "w",
      attempt: 1,
      epoch: 1,
      startedAt: stage.now,
    });
    stage.pass(10);
    stage.finish("r", succeed({ x: 1 }));
    expect(stage.get("r")).toMatchObject({
      status: "SUCCEEDED",
      result: '{"x":1}',
      workerId: null,
      finishedAt: stage.now,
    });
    stage.expectSettled();
    expect(stage.journal.map((entry) => entry.type)).toEqual([
      "created",
      "ready",
      "started",
      "succeeded",
      "settled",
    ]);
  });

  it("is claimed once", () => {
    const stage = staged("a");
    expect(stage.claim("r")).toBe(true);
    expect(stage.claim("r")).toBe(false);
    expect(stage.get("r").epoch).toBe(1);
  });

  it("is not started again, whatever comes late", () => {
    const stage = staged("a");
    stage.run("r");
    const ended = stage.get("r");
    for (const type of ["start", "due", "skip", "available"] as const) stage.send("r", { type });
    stage.send("r", { type: "claim", workerId: "late" });
    stage.send("r", { type: "finish", epoch: ended.epoch, outcome: fail() });
    stage.send("r", { type: "release", epoch: ended.epoch });
    stage.send("r", { type: "recover", epoch: ended.epoch });
    expect(stage.get("r")).toEqual(ended);
  });

  it("fails with its error, attempts and path from the root", () => {
    const stage = new Stage();
    stage.submit(chain([swarm([task("ok"), task("bad")], { name: "all" })], { name: "etl" }));
    stage.settle();
    expect(stage.get("r.0.1").error).toMatchObject({
      name: "MageFlowError",
      code: "BOOM",
      message: "r.0.1",
      attempts: 1,
      path: [
        { id: "r", name: "etl", kind: "chain", slot: 0 },
        { id: "r.0", name: "all", kind: "swarm", slot: 0 },
        { id: "r.0.1", name: "bad", kind: "task", slot: 1 },
      ],
    });
  });

  describe("retries", () => {
    it("waits, is ready when it is due, and gives up after its attempts", () => {
      const stage = staged("bad", { retry: every(1_000) });
      for (const attempt of [1, 2]) {
        stage.run("r");
        expect(stage.get("r")).toMatchObject({
          status: "WAITING",
          attempt: attempt + 1,
          dueAt: stage.now + 1_000,
          workerId: null,
        });
        stage.pass(999);
        expect(stage.status("r")).toBe("WAITING");
        stage.send("r", { type: "due" });
        expect(stage.status("r")).toBe("WAITING");
        stage.pass(1);
        expect(stage.get("r")).toMatchObject({ status: "READY", readyAt: stage.now });
      }
      stage.run("r");
      expect(stage.get("r")).toMatchObject({
        status: "FAILED",
        attempt: 3,
        epoch: 3,
        error: { attempts: 3 },
      });
      stage.expectSettled();
    });

    it("keeps the first start over attempts", () => {
      const stage = staged("flaky", { retry: every(1_000) });
      const first = stage.now;
      stage.settle();
      expect(stage.get("r")).toMatchObject({
        status: "SUCCEEDED",
        attempt: 2,
        startedAt: first,
        error: null,
      });
    });

    it("ends at once with a terminal error", () => {
      const stage = staged("dead", { retry: every(1_000) });
      stage.run("r");
      expect(stage.get("r")).toMatchObject({ status: "FAILED", attempt: 1, error: { attempts: 1 } });
    });

    it("fires no callback before the last attempt", () => {
      const stage = staged("bad", {
        retry: every(5, 4),
        callbacks: { error: [task("e")], cleanup: [task("c")] },
      });
      for (let attempt = 1; attempt < 4; attempt++) {
        stage.run("r");
        expect(stage.children("r")).toEqual([]);
        stage.pass(5);
      }
      stage.settle();
      expect(stage.in("SUCCEEDED")).toEqual(["r.cleanup0", "r.error0"]);
    });
  });

  describe("its deadline", () => {
    it("counts from the first claim over all attempts", () => {
      const stage = staged("bad", { retry: every(400, 10), totalTimeout: 1_000 });
      stage.pass(10_000);
      expect(stage.get("r")).toMatchObject({ status: "READY", deadlineAt: null });
      const first = stage.now;
      stage.claim("r");
      expect(stage.get("r").deadlineAt).toBe(first + 1_000);
      stage.finish("r", fail());
      stage.drain();
      expect(stage.get("r")).toMatchObject({ status: "FAILED", deadlineAt: first + 1_000, attempt: 3 });
      expect(stage.now).toBeLessThan(first + 1_000);
    });

    it("fails a ready task that no worker took again", () => {
      const stage = staged("a", {
        totalTimeout: 1_000,
        callbacks: { error: [task("e")], cleanup: [task("c")] },
      });
      stage.claim("r");
      stage.send("r", { type: "release", epoch: 1 });
      stage.pass(999);
      expect(stage.status("r")).toBe("READY");
      stage.pass(1);
      expect(stage.get("r")).toMatchObject({
        status: "FAILED",
        error: { code: "TIMEOUT", name: "TimeoutError" },
      });
      stage.settle();
      expect(stage.in("SUCCEEDED")).toEqual(["r.cleanup0", "r.error0"]);
    });

    it("is looked at once more at the claim", () => {
      const stage = staged("a", { totalTimeout: 1_000 });
      stage.claim("r");
      stage.send("r", { type: "release", epoch: 1 });
      stage.now += 1_000;
      expect(stage.claim("r")).toBe(false);
      expect(stage.get("r")).toMatchObject({ status: "FAILED", error: { code: "TIMEOUT" } });
    });

    it("is another one in the next generation", () => {
      const stage = staged("bad", { totalTimeout: 1_000 });
      stage.run("r");
      stage.send("r", { type: "reset" });
      expect(stage.get("r").deadlineAt).toBe(null);
    });
  });

  describe("a lost worker", () => {
    it("is superseded when the task goes on, and not while it waits or when it has ended", () => {
      const stage = new Stage();
      stage.submit(task("ok"));
      stage.claim("r");
      const held = stage.get("r");
      const code = () => loss(held, stage.records.get("r")).code;
      stage.send("r", { type: "recover", epoch: 1 });
      expect([loss(held, undefined).code, code()]).toEqual(["LEASE_LOST", "LEASE_LOST"]);
      stage.claim("r");
      expect(code()).toBe("SUPERSEDED");
      expect(loss(held, stage.get("r"))).toBeInstanceOf(LeaseLostError);
      const second = stage.get("r");
      stage.finish("r");
      expect(loss(second, stage.get("r")).code).toBe("LEASE_LOST");
      stage.send("r", { type: "rerun" });
      expect(loss(second, stage.get("r")).code).toBe("SUPERSEDED");
    });

    it("costs a recovery and never an attempt", () => {
      const stage = staged("a");
      stage.claim("r");
      stage.send("r", { type: "recover", epoch: 1 });
      expect(stage.get("r")).toMatchObject({ status: "READY", attempt: 1, recoveries: 1, workerId: null });
      stage.claim("r");
      expect(stage.get("r")).toMatchObject({ status: "RUNNING", attempt: 1, epoch: 2, recoveries: 1 });
      expect(stage.journal.map((entry) => entry.type)).toEqual([
        "created",
        "ready",
        "started",
        "recovered",
        "ready",
        "started",
      ]);
    });

    it("is a CRASH_LOOP after maxRecoveries", () => {
      const stage = staged("a", { callbacks: { error: [task("e")], cleanup: [task("c")] } });
      for (let recoveries = 1; recoveries <= 5; recoveries++) {
        stage.claim("r");
        stage.send("r", { type: "recover", epoch: stage.get("r").epoch });
        expect(stage.get("r")).toMatchObject({ status: "READY", recoveries });
      }
      stage.claim("r");
      stage.send("r", { type: "recover", epoch: stage.get("r").epoch });
      expect(stage.get("r")).toMatchObject({
        status: "FAILED",
        recoveries: 6,
        error: { code: "CRASH_LOOP", attempts: 1 },
      });
      stage.settle();
      expect(stage.in("SUCCEEDED")).toEqual(["r.cleanup0", "r.error0"]);
    });

    it("may be one too many at once", () => {
      const stage = staged("a", { maxRecoveries: 0 });
      stage.claim("r");
      stage.send("r", { type: "recover", epoch: 1 });
      expect(stage.get("r").error?.code).toBe("CRASH_LOOP");
    });
  });

  it("is handed back for another worker to take at once", () => {
    const stage = staged("a");
    stage.claim("r");
    stage.pass(10);
    stage.send("r", { type: "release", epoch: 1 });
    expect(stage.get("r")).toMatchObject({
      status: "READY",
      readyAt: stage.now,
      attempt: 1,
      recoveries: 0,
      workerId: null,
    });
    stage.claim("r");
    expect(stage.get("r")).toMatchObject({ status: "RUNNING", attempt: 1 });
  });

  describe("the fence", () => {
    it.each(["finish", "release", "recover"] as const)("lets no stale %s through", (type) => {
      const stage = staged("a");
      stage.claim("r");
      const stale = stage.get("r").epoch;
      stage.send("r", { type: "recover", epoch: stale });
      const late = () => stage.send("r", { type, epoch: stale, outcome: succeed("late") });
      const ready = stage.get("r");
      late();
      expect(stage.get("r")).toEqual(ready);
      stage.claim("r");
      const running = stage.get("r");
      expect(running.epoch).toBeGreaterThan(stale);
      late();
      expect(stage.get("r")).toEqual(running);
      stage.finish("r", succeed("right"));
      late();
      expect(stage.get("r").result).toBe('"right"');
    });

    it("lets no stale word through after a release either", () => {
      const stage = staged("a");
      stage.claim("r");
      stage.send("r", { type: "release", epoch: 1 });
      stage.claim("r");
      stage.send("r", { type: "finish", epoch: 1, outcome: succeed("late") });
      expect(stage.status("r")).toBe("RUNNING");
    });
  });

  describe("its time", () => {
    it("comes after a delay", () => {
      const stage = staged("a", { delay: 5_000 });
      expect(stage.get("r")).toMatchObject({ status: "WAITING", dueAt: stage.now + 5_000 });
      stage.pass(4_999);
      expect(stage.status("r")).toBe("WAITING");
      stage.pass(1);
      expect(stage.status("r")).toBe("READY");
      stage.settle();
    });

    it("comes at an instant, or at once when that has passed", () => {
      expect(staged("a", { at: 1_000_500 }).get("r")).toMatchObject({ status: "WAITING", dueAt: 1_000_500 });
      expect(staged("a", { at: 999_000 }).get("r").status).toBe("READY");
      expect(staged("a", { at: 1_000_000 }).get("r").status).toBe("READY");
    });

    it("comes 25 days on", () => {
      const stage = staged("a", { delay: 25 * 86_400_000 });
      stage.pass(24 * 86_400_000);
      expect(stage.status("r")).toBe("WAITING");
      stage.pass(86_400_000);
      expect(stage.status("r")).toBe("READY");
    });

    it("is staggered per signature, within its span", () => {
      const stage = new Stage();
      stage.submit(
        swarm(
          Array.from({ length: 200 }, () => task("a", { stagger: 10_000 })),
          { concurrency: null },
        ),
      );
      const starts = stage.children("r").map((item) => (item.dueAt ?? stage.now) - stage.now);
      expect(Math.min(...starts)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...starts)).toBeLessThan(10_000);
      expect(new Set(starts).size).toBeGreaterThan(150);
      stage.settle();
    });
  });
});
