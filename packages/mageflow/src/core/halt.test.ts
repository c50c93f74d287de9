/* oxlint-disable vitest/expect-expect -- the properties assert in `judge`. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge, judgeCancelled, standsIn } from "./judge.test-support.ts";
import type { PlanNode } from "./plan.ts";
import {
  type Event,
  EVENT_OR_INTERRUPT,
  EVENT_OR_ORDER,
  finishAll,
  PLAN,
  play,
  shuffler,
  stop,
} from "./play.test-support.ts";
import { isSettled } from "./record.ts";
import { chain, fail, swarm, task } from "./sample-plans.test-support.ts";
import { Stage, type StageOptions } from "./stage.test-support.ts";
import { isEnded } from "./status.ts";

const RUNS = { numRuns: Number(process.env["RUNS"] ?? 150) };

/** Windows of one and two, so that the world is at it between them; and rounds in another order. */
const OPTIONS: fc.Arbitrary<StageOptions> = fc
  .record({ window: fc.constantFrom(1, 2, 500), seed: fc.option(fc.integer()) })
  .map(({ window, seed }) => ({ window, ...(seed === null ? {} : { order: shuffler(seed) }) }));

function run(plan: PlanNode, events: readonly Event[], options: StageOptions = {}): Stage {
  const stage = new Stage(options);
  stage.submit(plan);
  play(stage, events);
  return stage;
}

describe("any workflow that is interrupted", () => {
  it("settles with the same outcome when all that was interrupted is resumed", () => {
    fc.assert(
      fc.property(PLAN, fc.array(EVENT_OR_INTERRUPT, { maxLength: 60 }), OPTIONS, (plan, events, options) => {
        const stage = run(plan, events, options);
        finishAll(stage);
        judge(stage, plan);
      }),
      RUNS,
    );
  });

  it("stops within the grace, lets nothing inside begin but cleanups, and is cleaned up", () => {
    fc.assert(
      fc.property(
        PLAN,
        fc.array(EVENT_OR_INTERRUPT, { maxLength: 40 }),
        fc.nat(),
        OPTIONS,
        (plan, events, at, options) => {
          const stage = run(plan, events, options);
          const open = [...stage.records.values()].filter(({ status }) => !isEnded(status));
          if (open.length === 0) return;
          const target = open[at % open.length]!.id;
          stage.send(target, stop("interrupt", 100));
          const from = stage.steps.length;
          while (stage.tidy());
          // Nothing that runs answers: it is fenced off when its grace is over.
          stage.pass(100);
          for (let settling = true; settling;) {
            const before = stage.steps.length;
            for (const status of ["SUSPENDED", "INTERRUPTED"] as const) {
              for (const id of stage.in(status)) {
                if (stage.status(id) === status && !standsIn(stage, id, target))
                  stage.send(id, { type: "resume" });
              }
            }
            for (const id of stage.in("RUNNING")) {
              if (stage.get(id).kind === "task" && !standsIn(stage, id, target)) stage.finish(id);
            }
            stage.drain();
            settling = stage.steps.length > before;
          }
          // When its turn has passed, what follows from what had ended inside goes on.
          const skipped = stage.steps.findIndex(({ id, to }) => id === target && to === "SKIPPED");
          const begun = stage.steps
            .slice(from, skipped < 0 ? undefined : skipped)
            .filter(
              ({ id, to }) =>
                to === "RUNNING" && stage.get(id).kind === "task" && standsIn(stage, id, target),
            );
          expect(begun).toEqual([]);
          expect(["INTERRUPTED", "SKIPPED"]).toContain(stage.status(target));
          expect(isSettled(stage.get(target))).toBe(true);
          const still = stage.in("RUNNING").filter((id) => standsIn(stage, id, target));
          expect(still.filter((id) => !standsInCallback(stage, id, target))).toEqual([]);
          finishAll(stage);
          judge(stage, plan);
        },
      ),
      RUNS,
    );
  });
});

describe("a swarm that stops its items past its limit", () => {
  it("waits for them when it is interrupted itself before they have cleaned up", () => {
    const stage = new Stage();
    const cleaned = task("long", { callbacks: { cleanup: [task("inner", { delay: 200 })] } });
    const items = [cleaned, task("dead"), task("ok")];
    stage.submit(
      swarm(items, { stopAfterFailures: 0, onLimit: "interrupt", callbacks: { cleanup: [task("outer")] } }),
    );
    stage.claim("r.0");
    stage.run("r.1");
    stage.send("r", stop("interrupt", 100));
    stage.audit();
    stage.finish("r.0", fail("stopped"));
    stage.drain();
    expect(stage.order("RUNNING", (id) => id.includes("cleanup"))).toEqual(["r.0.cleanup0", "r.cleanup0"]);
    expect(stage.get("r").stop).toMatchObject({ done: true });
  });

  it("gives them no longer than it has itself when it is interrupted", () => {
    const stage = new Stage();
    stage.submit(
      swarm([chain([task("long")]), task("dead")], { stopAfterFailures: 0, onLimit: "interrupt" }),
    );
    stage.claim("r.0.0");
    stage.run("r.1");
    stage.send("r", stop("interrupt", 100));
    stage.pass(100);
    expect(stage.get("r").stop).toMatchObject({ done: true, clean: false });
  });

  describe.each([true, false])("that is suspended (and looked after meanwhile: %s)", (isSwept) => {
    it.each([
      ["before it is past its limit", ["suspend", "fail"]],
      ["when it has told the first of them", ["fail", "suspend"]],
    ] as const)("%s stops all that run", (_, order) => {
      const stage = new Stage({ window: 1 });
      const items = [task("long"), task("dead"), chain([task("long"), task("ok")]), task("ok")];
      stage.submit(swarm(items, { concurrency: 3, stopAfterFailures: 0, onLimit: "interrupt" }));
      while (stage.tidy());
      const running = ["r.0", "r.2.0"];
      for (const id of [...running, "r.1"]) stage.claim(id);
      for (const what of order) {
        if (what === "suspend") stage.send("r", { type: "suspend" });
        else stage.finish("r.1", fail("dead"));
      }
      if (isSwept) while (stage.tidy());
      stage.send("r", { type: "resume" });
      while (stage.tidy());
      for (const id of running) expect(stage.get(id).stop).toMatchObject({ verb: "interrupt" });
      for (const id of running) stage.finish(id, fail("stopped"));
      while (stage.tidy());
      stage.audit();
      expect(stage.status("r")).toBe("FAILED");
      expect(stage.status("r.3")).toBe("SKIPPED");
      const begun = stage.steps.filter(({ to }) => to === "RUNNING").map(({ id }) => id);
      expect(new Set(begun)).toEqual(new Set(["r", "r.0", "r.1", "r.2", "r.2.0"]));
    });
  });
});

describe("a second order", () => {
  it("brings the end of the grace forward for all that runs inside, and never puts it off", () => {
    fc.assert(
      fc.property(
        PLAN,
        fc.array(EVENT_OR_ORDER, { maxLength: 40 }),
        fc.record({ at: fc.nat(), tidies: fc.nat(4), cancels: fc.boolean() }),
        OPTIONS,
        (plan, events, { at, tidies, cancels }, options) => {
          const stage = run(plan, events, options);
          const open = [...stage.records.values()].filter(({ status }) => !isEnded(status));
          const target = cancels ? "r" : open[at % Math.max(1, open.length)]?.id;
          if (target === undefined) return;
          const verb = cancels ? "cancel" : "interrupt";
          const from = stage.steps.length;
          stage.send(target, stop(verb, 10_000));
          for (let turn = 0; turn < tidies; turn++) stage.tidy();
          if (!cancels && isEnded(stage.status(target))) return;
          for (const grace of [100, 20_000]) stage.send(target, stop(verb, grace));
          while (stage.tidy());
          stage.audit();
          stage.pass(100);
          const still = stage.in("RUNNING").filter((id) => stage.get(id).kind === "task");
          expect(
            still.filter(
              (id) => standsIn(stage, id, target) && (cancels || !standsInCallback(stage, id, target)),
            ),
          ).toEqual([]);
          finishAll(stage);
          if (cancels) judgeCancelled(stage, from);
          else judge(stage, plan);
        },
      ),
      RUNS,
    );
  });

  it("leaves alone what a cleanup does, and what has stopped", () => {
    const stage = new Stage();
    stage.submit(chain([task("ok", { callbacks: { cleanup: [chain([task("ok")])] } })]));
    stage.claim("r.0");
    stage.send("r", stop("interrupt", 10_000));
    stage.finish("r.0", fail("stopped"));
    stage.claim("r.0.cleanup0.0");
    stage.send("r.0.cleanup0", stop("interrupt", 10_000));
    stage.send("r", stop("interrupt", 100));
    while (stage.tidy());
    const own = { status: "RUNNING", stop: { until: stage.now + 10_000 } };
    expect(stage.get("r.0.cleanup0.0")).toMatchObject(own);
    stage.finish("r.0.cleanup0.0");
    stage.send("r.0.cleanup0", { type: "resume" });
    stage.drain();
    const { stop: done } = stage.get("r");
    expect(done).toMatchObject({ done: true });
    stage.send("r", stop("interrupt", 0));
    expect(stage.get("r").stop).toBe(done);
  });

  it("reaches the callbacks of a task that had ended before it was cancelled", () => {
    const stage = new Stage();
    stage.submit(task("ok", { callbacks: { success: [swarm([task("ok"), task("ok")])] } }));
    stage.run("r");
    for (const slot of [0, 1]) stage.claim(`r.success0.${slot}`);
    stage.send("r", stop("cancel", 10_000));
    stage.send("r", stop("cancel", 100));
    stage.pass(100);
    expect(stage.get("r").stop).toMatchObject({ done: true, clean: false });
  });

  it("gives a cancel a grace of its own when all had stopped before", () => {
    const stage = new Stage();
    stage.submit(chain([task("ok", { callbacks: { success: [task("later")] } }), task("ok")]));
    stage.run("r.0");
    stage.claim("r.0.success0");
    stage.send("r", stop("interrupt", 0));
    stage.pass(1_000);
    expect(stage.get("r").stop).toMatchObject({ done: true });
    stage.send("r", stop("cancel", 100));
    expect(stage.get("r.0.success0")).toMatchObject({ status: "RUNNING", stop: { until: stage.now + 100 } });
  });
});

describe("what is left off while it is stopping", () => {
  it("is skipped when it has stopped, though it is interrupted once more", () => {
    const stage = new Stage();
    const slow = task("slow", { callbacks: { cleanup: [task("later", { delay: 200 })] } });
    stage.submit(swarm([slow, task("dead")], { stopAfterFailures: 0 }));
    stage.claim("r.0");
    stage.send("r.0", stop("interrupt", 0));
    stage.pass(0);
    stage.run("r.1");
    expect(stage.get("r.0")).toMatchObject({ status: "INTERRUPTED", stop: { resumes: true } });
    stage.send("r.0", stop("interrupt", 0));
    stage.settle();
    expect(stage.status("r.0")).toBe("SKIPPED");
  });
});

describe("any workflow that is cancelled", () => {
  it("begins nothing any more but cleanups, cleans up what had begun, settles, and is to be removed", () => {
    fc.assert(
      fc.property(
        PLAN,
        fc.array(EVENT_OR_ORDER, { maxLength: 60 }),
        fc.array(EVENT_OR_INTERRUPT, { maxLength: 30 }),
        OPTIONS,
        (plan, before, after, options) => {
          const stage = run(plan, before, options);
          const from = stage.steps.length;
          stage.send("r", stop("cancel", 100));
          play(stage, after);
          stage.pass(100);
          finishAll(stage);
          judgeCancelled(stage, from);
        },
      ),
      RUNS,
    );
  });
});

/** True for what follows the end of something inside the target: it had its occasion before the target was stopped. */
function standsInCallback(stage: Stage, id: string, target: string): boolean {
  for (let at = stage.get(id); at.id !== target; at = stage.get(at.parentId!)) {
    if (at.role !== "step" && at.role !== "item") return true;
  }
  return false;
}

/** What was ready inside when its container was stopped is not let run because that goes on: it has its turn first. */
it("starts nothing inside a container that waits for its turn to go on", () => {
  const stage = new Stage();
  stage.submit(swarm([swarm([task("ok")]), task("ok")], { concurrency: 1 }));
  expect(stage.status("r.0.0")).toBe("READY");
  stage.send("r.0", stop("interrupt", 9));
  stage.send("r.0", { type: "resume" });
  expect([stage.status("r.0"), stage.status("r.1")]).toEqual(["PENDING", "READY"]);
  stage.claim("r.0.0");
  expect(stage.get("r.0.0")).toMatchObject({ status: "PENDING", heldBy: "r.0" });
  stage.run("r.1");
  expect([stage.status("r.0"), stage.status("r.0.0")]).toEqual(["RUNNING", "READY"]);
  stage.run("r.0.0");
  stage.expectSettled();
  expect(stage.status("r")).toBe("SUCCEEDED");
});
