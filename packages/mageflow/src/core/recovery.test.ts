import { describe, expect, it } from "vitest";
import type { PlanNode } from "./plan.ts";
import { ALL_RESUME, reasonToPark, type ResumeRules } from "./recovery.ts";
import { retryPolicy } from "./retry.ts";
import { chain, swarm, task, times } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

function staged(plan: PlanNode): Stage {
  const stage = new Stage();
  stage.submit(plan);
  return stage;
}

const parked = { resume: false, actor: "auto-resume", reason: "auto-resume is off for it" } as const;

function lose(stage: Stage, id: string, how?: typeof parked | { resume: true; dueAt: number | null }): void {
  const { epoch } = stage.get(id);
  stage.send(id, { type: "recover", epoch, ...(how === undefined ? {} : { how }) });
}

describe("a task whose worker was lost", () => {
  it("goes on at once, or waits for its turn", () => {
    const stage = staged(task("a"));
    stage.claim("r");
    lose(stage, "r", { resume: true, dueAt: stage.now });
    expect(stage.get("r")).toMatchObject({ status: "READY", recoveries: 1 });
    stage.claim("r");
    lose(stage, "r", { resume: true, dueAt: stage.now + 500 });
    expect(stage.get("r")).toMatchObject({
      status: "WAITING",
      dueAt: stage.now + 500,
      attempt: 1,
      recoveries: 2,
      workerId: null,
    });
    expect(stage.journal.slice(-2).map(({ type }) => type)).toEqual(["recovered", "waiting"]);
    stage.pass(499);
    expect(stage.status("r")).toBe("WAITING");
    stage.pass(1);
    expect(stage.get("r")).toMatchObject({ status: "READY", attempt: 1 });
    stage.settle();
    expect(stage.get("r")).toMatchObject({ status: "SUCCEEDED", attempt: 1, recoveries: 2 });
  });

  it("keeps its slot while it waits for its turn", () => {
    const stage = staged(swarm(times(2, task("a")), { concurrency: 1 }));
    stage.claim("r.0");
    lose(stage, "r.0", { resume: true, dueAt: stage.now + 500 });
    expect(stage.status("r.1")).toBe("PENDING");
    stage.settle();
    expect(stage.status("r")).toBe("SUCCEEDED");
  });

  it("is parked as if it had been interrupted, is cleaned up, and goes on by hand with what it has kept", () => {
    const callbacks = { error: [task("e")], success: [task("s")], cleanup: [task("c")] };
    const stage = staged(task("a", { callbacks }));
    stage.claim("r");
    const { epoch } = stage.get("r");
    lose(stage, "r", parked);
    expect(stage.get("r")).toMatchObject({
      status: "INTERRUPTED",
      heldBy: null,
      workerId: null,
      recoveries: 0,
      stop: {
        verb: "interrupt",
        actor: "auto-resume",
        reason: "auto-resume is off for it",
        by: null,
        own: true,
        clean: false,
        done: false,
      },
    });
    expect(stage.get("r").epoch).toBeGreaterThan(epoch);
    stage.drain();
    expect(stage.in("SUCCEEDED")).toEqual(["r.cleanup0"]);
    expect(stage.get("r").stop?.done).toBe(true);
    stage.send("r", { type: "resume" });
    expect(stage.get("r")).toMatchObject({ status: "READY", generation: 2, origin: 1 });
    stage.settle();
    expect(stage.status("r")).toBe("SUCCEEDED");
  });

  it("holds up its chain while it is parked, and gives its slot to another item of its swarm", () => {
    const steps = staged(chain(times(2, task("a"))));
    steps.claim("r.0");
    lose(steps, "r.0", parked);
    steps.drain();
    expect([steps.status("r"), steps.status("r.0"), steps.status("r.1")]).toEqual([
      "RUNNING",
      "INTERRUPTED",
      "PENDING",
    ]);
    const items = staged(swarm(times(2, task("a")), { concurrency: 1 }));
    items.claim("r.0");
    lose(items, "r.0", parked);
    expect(items.status("r.1")).toBe("READY");
    items.send("r.0", { type: "resume" });
    items.settle();
    expect(items.status("r")).toBe("SUCCEEDED");
  });

  it("stops when it had been told to, whatever else is said", () => {
    const stage = staged(task("a"));
    stage.claim("r");
    stage.send("r", {
      type: "halt",
      verb: "interrupt",
      actor: "somebody",
      reason: "by hand",
      grace: 10,
      by: null,
    });
    lose(stage, "r", parked);
    expect(stage.get("r").stop).toMatchObject({ actor: "somebody", reason: "by hand", clean: false });
  });

  it("is in a CRASH_LOOP when it has lost too many, even if it had to wait", () => {
    const stage = staged(task("a", { maxRecoveries: 0, retry: retryPolicy({ attempts: 3 }) }));
    stage.claim("r");
    lose(stage, "r", { resume: true, dueAt: stage.now + 500 });
    expect(stage.get("r")).toMatchObject({ status: "FAILED", error: { code: "CRASH_LOOP" } });
  });
});

describe("the rules", () => {
  const all: ResumeRules = ALL_RESUME;
  const cases: [rules: Partial<ResumeRules>, plan: PlanNode, parks: boolean][] = [
    [{}, task("a"), false],
    [{ enabled: false }, task("a"), true],
    [{ only: ["b"] }, task("a"), true],
    [{ only: ["a"] }, task("a"), false],
    [{ only: [] }, task("a"), true],
    [{ except: ["a"] }, task("a"), true],
    [{ only: ["a"], except: ["a"] }, task("a"), true],
    [{ enabled: false, only: ["a"] }, task("a"), true],
    [{}, task("a", { autoResume: false }), true],
    [{}, task("a", { autoResume: { perSecond: 1 } }), false],
  ];

  it.each(cases)("%j", (rules, plan, parks) => {
    const stage = staged(plan);
    const reason = reasonToPark(stage.view, stage.get("r"), { ...all, ...rules });
    expect(reason).toBe(parks ? "auto-resume is off for it" : null);
  });

  it("let callbacks and cleanups go on, and what is inside them, whatever they and their own task say", () => {
    const cleanup = [task("c"), chain([task("d")]), task("e", { autoResume: false })];
    const success = [task("s"), chain([task("t", { autoResume: false })])];
    const stage = staged(task("a", { callbacks: { cleanup, success } }));
    stage.run("r");
    const reason = (id: string) => reasonToPark(stage.view, stage.get(id), { ...all, enabled: false });
    expect(reason("r")).not.toBeNull();
    for (const id of ["r.cleanup0", "r.cleanup1.0", "r.cleanup2", "r.success0", "r.success1.0"])
      expect(reason(id)).toBeNull();
  });
});
