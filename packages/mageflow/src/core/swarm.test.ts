/* oxlint-disable vitest/no-conditional-expect, vitest/expect-expect -- the stage audits itself. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SwarmClosedError } from "./errors.ts";
import { chain, swarm, task, times } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

const staged = (...given: Parameters<typeof swarm>): Stage => {
  const stage = new Stage();
  stage.submit(swarm(...given));
  return stage;
};

const ok = task("ok");
const bad = task("bad");

describe("a swarm", () => {
  it("succeeds when it is empty", () => {
    const stage = staged([], { callbacks: { success: [task("s")], cleanup: [task("c")] } });
    stage.settle();
    expect(stage.in("SUCCEEDED")).toEqual(["r", "r.cleanup0", "r.success0"]);
  });

  it("succeeds when it is empty and delayed", () => {
    const stage = staged([], { delay: 1_000 });
    stage.settle();
    expect(stage.status("r")).toBe("SUCCEEDED");
  });

  it("starts as many items as its concurrency allows, by priority, then slot", () => {
    const stage = staged([ok, ok, task("high", { priority: 5 }), ok, ok], { concurrency: 2 });
    expect(stage.in("READY")).toEqual(["r.0", "r.2"]);
    stage.run("r.2");
    expect(stage.in("READY")).toEqual(["r.0", "r.1"]);
    stage.run("r.0");
    stage.run("r.1");
    expect(stage.in("READY")).toEqual(["r.3", "r.4"]);
    stage.settle();
    expect(stage.get("r").family).toMatchObject({ total: 5, succeeded: 5, active: 0 });
  });

  it("starts more than one window when its concurrency is unlimited", () => {
    const stage = staged(times(1_300, ok), { concurrency: null });
    expect(stage.in("READY")).toHaveLength(500);
    while (stage.tidy());
    expect(stage.in("READY")).toHaveLength(1_300);
    stage.audit();
    stage.settle();
    expect(stage.status("r")).toBe("SUCCEEDED");
  });

  it("fills windows wider than one commit", () => {
    const stage = staged(times(2_000, ok), { concurrency: 700 });
    while (stage.tidy());
    expect(stage.in("READY")).toHaveLength(700);
    stage.settle();
  });

  it("takes 500 ends in one commit", () => {
    const stage = staged(times(1_200, ok), { concurrency: 500 });
    const items = stage.in("READY");
    for (const id of items) stage.claim(id);
    stage.commit(
      items.map((to) => ({ to, signal: { type: "finish", epoch: 1, outcome: { ok: true, result: "1" } } })),
    );
    expect(stage.in("READY")).toHaveLength(500);
    expect(stage.get("r").family).toMatchObject({ succeeded: 500, active: 500 });
    stage.settle();
  });

  it("keeps its concurrency when a step and an item end in one commit", () => {
    const stage = staged([ok, chain([ok]), ok, ok, ok, ok], { concurrency: 2 });
    stage.claim("r.0");
    stage.claim("r.1.0");
    stage.commit(
      ["r.0", "r.1.0"].map((to) => ({
        to,
        signal: { type: "finish", epoch: 1, outcome: { ok: true, result: "1" } } as const,
      })),
    );
    stage.audit();
    expect(stage.in("READY")).toEqual(["r.2", "r.3"]);
    stage.settle();
  });

  it("closes once when its last two items end together (fault 26)", () => {
    for (const together of [true, false]) {
      const stage = staged([ok, bad], { callbacks: { success: [task("s")] } });
      stage.claim("r.0");
      stage.claim("r.1");
      const ends = ["r.0", "r.1"].map((to) => ({
        to,
        signal: { type: "finish", epoch: 1, outcome: { ok: true, result: "1" } } as const,
      }));
      if (together) stage.commit(ends);
      else for (const end of ends) stage.commit([end]);
      expect(stage.order("SUCCEEDED", (id) => id === "r")).toEqual(["r"]);
      stage.settle();
      expect(stage.order("SUCCEEDED", (id) => id === "r.success0")).toEqual(["r.success0"]);
    }
  });

  it("does not count a repeated credit", () => {
    const stage = staged(times(4, ok), { concurrency: 1 });
    stage.run("r.0");
    const before = stage.get("r");
    const child = stage.get("r.0");
    stage.send("r", { type: "credit", credits: [{ child, from: child.milestone }] });
    expect(stage.get("r").family).toEqual(before.family);
    expect(stage.in("READY")).toEqual(["r.1"]);
  });

  describe("outcome", () => {
    it.each([
      // ok, bad, stopAfterFailures, outcome
      [3, 0, null, "SUCCEEDED"],
      [3, 2, null, "SUCCEEDED"],
      [1, 9, null, "SUCCEEDED"],
      [0, 1, null, "FAILED"],
      [0, 5, null, "FAILED"],
      [5, 0, 0, "SUCCEEDED"],
      [5, 1, 0, "FAILED"],
      [5, 1, 1, "SUCCEEDED"],
      [5, 2, 1, "FAILED"],
      [5, 2, 2, "SUCCEEDED"],
      [0, 2, 2, "FAILED"],
      [0, 2, 5, "FAILED"],
      [1, 2, 5, "SUCCEEDED"],
    ] as const)("%d ok, %d bad, stopAfterFailures %s: %s", (good, failing, stopAfterFailures, outcome) => {
      for (const concurrency of [1, 2, null]) {
        const items = [...times(good, ok), ...times(failing, bad)];
        for (const order of [items, items.toReversed()]) {
          const stage = staged(order, { stopAfterFailures, concurrency });
          stage.settle();
          expect(stage.status("r")).toBe(outcome);
          const { total, succeeded, failed, skipped, active } = stage.get("r").family!;
          expect(succeeded + failed + skipped).toBe(total);
          expect(active).toBe(0);
          if (stopAfterFailures === null) expect(skipped).toBe(0);
        }
      }
    });

    it("names how many failed, and the first failure as the cause", () => {
      const stage = staged([ok, bad, bad, ok, ok, ok], { stopAfterFailures: 1, concurrency: 1 });
      stage.settle();
      expect(stage.get("r").error).toMatchObject({
        code: "SWARM_FAILED",
        message: "2 of 6 items failed, 3 were skipped",
        path: [{ id: "r" }],
        cause: { message: "r.1", code: "BOOM" },
      });
    });

    it("has two more causes at most, however many swarms are inside each other", () => {
      let plan = bad;
      for (let i = 0; i < 20; i++) plan = i % 3 === 2 ? chain([plan]) : swarm([plan]);
      const stage = new Stage();
      stage.submit(plan);
      stage.settle();
      expect(stage.get("r").error).toMatchObject({
        code: "SWARM_FAILED",
        path: [{ id: "r" }],
        cause: { code: "SWARM_FAILED", cause: { code: "BOOM", path: { length: 21 } } },
      });
    });

    it("has no error when it succeeds with failures", () => {
      const stage = staged([ok, bad]);
      stage.settle();
      expect(stage.get("r")).toMatchObject({ status: "SUCCEEDED", error: null });
    });
  });

  describe("past its limit", () => {
    it("starts nothing new, lets what runs end, skips the rest", () => {
      const stage = staged([bad, ok, ok, ok, ok, ok], { stopAfterFailures: 0, concurrency: 3 });
      stage.claim("r.0");
      stage.claim("r.1");
      stage.finish("r.0");
      while (stage.tidy());
      expect(stage.status("r")).toBe("RUNNING");
      expect(stage.in("SKIPPED")).toEqual(["r.2", "r.3", "r.4", "r.5"]);
      expect(stage.claim("r.2")).toBe(false);
      stage.finish("r.1");
      expect(stage.status("r")).toBe("FAILED");
      stage.expectSettled();
      expect(stage.get("r").family).toMatchObject({ succeeded: 1, failed: 1, skipped: 4 });
    });

    it("lets a running container end, and an item between two attempts", () => {
      const retry = { attempts: 2, type: "fixed", delay: 1_000, max: 1_000, jitter: "none" } as const;
      const stage = staged([bad, chain([ok, ok]), task("flaky", { retry }), task("slow", { delay: 500 })], {
        stopAfterFailures: 0,
      });
      stage.run("r.2");
      expect(stage.status("r.2")).toBe("WAITING");
      stage.run("r.1.0");
      stage.run("r.0");
      while (stage.tidy());
      expect(stage.in("SKIPPED")).toEqual(["r.3"]);
      stage.settle();
      expect(stage.in("SUCCEEDED")).toEqual(["r.1", "r.1.0", "r.1.1", "r.2"]);
      expect(stage.status("r")).toBe("FAILED");
    });

    it("skips more than one window", () => {
      const stage = staged([bad, ...times(1_700, ok)], { stopAfterFailures: 0, concurrency: 1 });
      stage.settle();
      expect(stage.get("r").family).toMatchObject({ failed: 1, skipped: 1_700 });
    });

    it("skips more than one window of items that were ready", () => {
      const stage = staged([bad, ...times(1_700, ok)], { stopAfterFailures: 0, concurrency: null });
      while (stage.tidy());
      stage.run("r.0");
      stage.settle();
      expect(stage.get("r").family).toMatchObject({ failed: 1, skipped: 1_700, active: 0 });
    });

    it("restarts an item that lost its worker", () => {
      const stage = staged([bad, ok], { stopAfterFailures: 0 });
      stage.claim("r.1");
      stage.run("r.0");
      stage.send("r.1", { type: "recover", epoch: 1 });
      stage.settle();
      expect(stage.status("r.1")).toBe("SUCCEEDED");
    });

    it("does not start a container that was held or delayed", () => {
      const stage = staged([bad, chain([ok], { delay: 1_000 })], { stopAfterFailures: 0 });
      stage.claim("r.0");
      stage.send("r", { type: "suspend" });
      stage.pass(1_000);
      stage.finish("r.0");
      stage.send("r", { type: "resume" });
      stage.settle();
      expect(stage.status("r.1.0")).toBe("SKIPPED");
      expect(stage.status("r.1")).toBe("SKIPPED");
    });

    it("lets an item that was suspended between two attempts go on after it is resumed", () => {
      const retry = { attempts: 2, type: "fixed", delay: 1_000, max: 1_000, jitter: "none" } as const;
      const stage = staged([bad, task("flaky", { retry })], { stopAfterFailures: 0 });
      stage.run("r.1");
      stage.send("r.1", { type: "suspend" });
      stage.run("r.0");
      stage.drain();
      stage.send("r.1", { type: "resume" });
      stage.settle();
      expect(stage.status("r.1")).toBe("SUCCEEDED");
      expect(stage.status("r")).toBe("FAILED");
    });
  });

  describe("open", () => {
    it("runs until it is closed and its last item has ended", () => {
      const stage = staged([ok], { open: true });
      stage.run("r.0");
      expect(stage.status("r")).toBe("RUNNING");
      stage.add("r", [ok, bad]);
      expect(stage.in("READY")).toEqual(["r.1", "r.2"]);
      stage.run("r.1");
      stage.send("r", { type: "close" });
      expect(stage.status("r")).toBe("RUNNING");
      stage.run("r.2");
      expect(stage.status("r")).toBe("SUCCEEDED");
      stage.expectSettled();
    });

    it("ends at its close when everything has ended; closing again is a no-op", () => {
      const stage = staged([], { open: true });
      expect(stage.status("r")).toBe("RUNNING");
      stage.send("r", { type: "close" });
      expect(stage.status("r")).toBe("SUCCEEDED");
      const closed = stage.get("r");
      stage.send("r", { type: "close" });
      expect(stage.get("r")).toEqual(closed);
      stage.expectSettled();
    });

    it("takes nothing after its close, and keeps nothing of what it refused (fault 27)", () => {
      const stage = staged([ok], { open: true });
      stage.send("r", { type: "close" });
      expect(() => stage.add("r", [ok])).toThrow(SwarmClosedError);
      expect(stage.records.has("r.1")).toBe(false);
      stage.run("r.0");
      expect(() => stage.add("r", [ok])).toThrow(SwarmClosedError);
      stage.expectSettled();
    });

    it("takes nothing when it is not open", () => {
      expect(() => staged([ok]).add("r", [ok])).toThrow(expect.objectContaining({ code: "SWARM_CLOSED" }));
    });

    it("takes no more than maxTasks", () => {
      const stage = staged([ok], { open: true, maxTasks: 3 });
      stage.add("r", [ok]);
      expect(() => stage.add("r", [ok, ok])).toThrow(/two|more|maxTasks/);
      stage.add("r", [ok]);
      expect(() => stage.send("r", { type: "add", count: 1 })).toThrow(SwarmClosedError);
      stage.send("r", { type: "close" });
      stage.settle();
      expect(stage.get("r").family).toMatchObject({ total: 3, succeeded: 3 });
    });

    it("keeps its concurrency over additions", () => {
      const stage = staged([], { open: true, concurrency: 2 });
      for (let i = 0; i < 5; i++) stage.add("r", [ok, ok]);
      expect(stage.in("READY")).toHaveLength(2);
      stage.send("r", { type: "close" });
      stage.settle();
      expect(stage.get("r").family).toMatchObject({ total: 10, succeeded: 10 });
    });

    it("takes items before its start, and while it is suspended", () => {
      const stage = new Stage();
      stage.submit(swarm([], { open: true }), { start: false });
      stage.add("r", [ok]);
      expect(stage.in("READY")).toEqual([]);
      stage.send("r", { type: "start" });
      stage.send("r", { type: "suspend" });
      stage.add("r", [ok]);
      stage.send("r", { type: "close" });
      expect(stage.claim("r.0")).toBe(false);
      stage.send("r", { type: "resume" });
      stage.settle();
      expect(stage.get("r").family).toMatchObject({ total: 2, succeeded: 2 });
    });

    it("is past its limit, and then takes no more, without being closed", () => {
      const stage = staged([bad, ok, ok], { open: true, stopAfterFailures: 0, concurrency: 1 });
      stage.run("r.0");
      expect(() => stage.add("r", [ok])).toThrow(SwarmClosedError);
      stage.settle();
      expect(stage.status("r")).toBe("FAILED");
    });

    it("does not fail because all of its items so far have", () => {
      const stage = staged([bad], { open: true });
      stage.run("r.0");
      expect(stage.status("r")).toBe("RUNNING");
      stage.add("r", [ok]);
      stage.send("r", { type: "close" });
      stage.settle();
      expect(stage.status("r")).toBe("SUCCEEDED");
    });

    it("takes thousands", () => {
      const stage = staged([], { open: true, concurrency: null });
      stage.add("r", times(2_200, ok));
      stage.send("r", { type: "close" });
      stage.settle();
      expect(stage.get("r").family).toMatchObject({ total: 2_200, succeeded: 2_200 });
    });
  });

  it("never has more started items than its concurrency, whatever the order of events", () => {
    const event = fc.tuple(
      fc.constantFrom("claim", "finish", "recover", "release", "suspend", "resume", "pass"),
      fc.nat(),
      fc.nat(),
    );
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("ok", "bad", "flaky", "nested", "late"), { maxLength: 14 }),
        fc.option(fc.integer({ min: 1, max: 4 })),
        fc.option(fc.nat(4)),
        fc.array(event, { maxLength: 60 }),
        (names, concurrency, stopAfterFailures, events) => {
          const retry = { attempts: 2, type: "fixed", delay: 50, max: 50, jitter: "none" } as const;
          const items = names.map((name) =>
            name === "nested" ? chain([ok, ok]) : task(name, { retry, delay: name === "late" ? 100 : 0 }),
          );
          const stage = staged(items, { concurrency, stopAfterFailures });
          stage.audit();
          for (const [type, a] of events) {
            const ids = [...stage.records.keys()];
            const pick = (status: string) => {
              const fit = ids.filter((id) => stage.get(id).kind === "task" && stage.status(id) === status);
              return fit.length === 0 ? undefined : fit[a % fit.length];
            };
            const running = pick("RUNNING");
            const any = ids[a % ids.length]!;
            if (type === "claim") stage.claim(pick("READY") ?? any);
            else if (running !== undefined && type === "finish") stage.finish(running);
            else if (running !== undefined && (type === "recover" || type === "release"))
              stage.send(running, { type, epoch: stage.get(running).epoch });
            else if (type === "pass") stage.pass(50);
            else if (type === "suspend" || type === "resume") control(stage, any, type);
            stage.tidy();
            stage.audit();
          }
          for (const id of stage.in("SUSPENDED")) stage.send(id, { type: "resume" });
          for (const id of stage.in("RUNNING")) if (stage.get(id).kind === "task") stage.finish(id);
          stage.settle();
        },
      ),
      { numRuns: 300 },
    );
  });
});

function control(stage: Stage, id: string, type: "suspend" | "resume"): void {
  try {
    stage.send(id, { type });
  } catch (error) {
    if ((error as { code?: string }).code === undefined) throw error;
  }
}
