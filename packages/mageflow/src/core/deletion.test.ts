/* oxlint-disable vitest/expect-expect -- the properties assert in `judge`. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isClosed, isPurgeable, rearmed } from "./deletion.ts";
import { notedInside, relocked } from "./lock.ts";
import { judge, standsInCleanup } from "./judge.test-support.ts";
import { EVENT_OR_INTERRUPT, finishAll, marked, PLAN, play, stop } from "./play.test-support.ts";
import { isSettled, type SignatureRecord } from "./record.ts";
import { chain, swarm, task } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

const FAR = 1_000_000_000_000;
const RUNS = { numRuns: 300 };

describe("any workflow that is marked for deletion", () => {
  it("goes on to its end when it has started, and can be removed only when all of it has ended", () => {
    fc.assert(
      fc.property(PLAN, fc.array(EVENT_OR_INTERRUPT, { maxLength: 40 }), (plan, events) => {
        const stage = new Stage();
        stage.submit(plan);
        play(stage, events);
        const started = stage.get("r").startedAt !== null;
        stage.send("r", marked(stage.now));
        const { generation } = stage.get("r");
        const due = (): boolean => isPurgeable(stage.get("r"), FAR);
        expect(due()).toBe(isSettled(stage.get("r")) || (!started && stage.get("r").stop === null));
        for (let turns = 0; turns < 100; turns++) {
          for (const status of ["SUSPENDED", "INTERRUPTED"] as const) {
            for (const id of stage.in(status))
              if (stage.status(id) === status) stage.send(id, { type: "resume" });
          }
          for (const id of stage.in("RUNNING")) if (stage.get(id).kind === "task") stage.finish(id);
          stage.drain();
        }
        if (started) judge(stage, plan);
        const begun = stage.order("RUNNING", (id) => !standsInCleanup(stage, id)).length > 0;
        expect(begun).toBe(started);
        // A mark of an earlier life says nothing of this one.
        const same = stage.get("r").generation === generation;
        expect(due()).toBe(same);
        expect(isClosed(stage.get("r"))).toBe(true);
        finishAll(stage);
        judge(stage, plan);
        expect(due()).toBe(false);
      }),
      RUNS,
    );
  });
});

describe("a mark of deletion", () => {
  const mark = (stage: Stage, after: number): void =>
    stage.send("r", { type: "delete", purgeAt: stage.now + after, by: "somebody", reason: "old" });

  it("keeps a task from starting that is ready when it comes, until it is restored", () => {
    const stage = new Stage();
    stage.submit(task("ok"));
    mark(stage, 10);
    expect(stage.claim("r")).toBe(false);
    expect(stage.get("r")).toMatchObject({ status: "PENDING", startedAt: null });
    expect(stage.remedies()).toEqual([]);
    stage.send("r", { type: "restore" });
    stage.settle();
    expect(stage.status("r")).toBe("SUCCEEDED");
  });

  it("is gone with the next life, and that of what was resumed counts no more", () => {
    const stage = new Stage();
    stage.submit(chain([task("ok")]));
    stage.claim("r.0");
    mark(stage, 10);
    stage.send("r", stop("interrupt", 0));
    stage.pass(0);
    expect(isPurgeable(stage.get("r"), FAR)).toBe(true);
    stage.send("r", { type: "resume" });
    stage.settle();
    expect(isPurgeable(stage.get("r"), FAR)).toBe(false);
    expect(isPurgeable(rearmed(stage.get("r"), stage.now), FAR)).toBe(true);
    stage.send("r", { type: "extend", purgeAt: stage.now });
    expect(isPurgeable(stage.get("r"), stage.now)).toBe(true);
    stage.send("r", { type: "rerun" });
    expect(stage.get("r").deletion).toBeNull();
  });

  it("is outdone by a cancellation, which nothing takes back", () => {
    const stage = new Stage();
    stage.submit(task("ok", { callbacks: { success: [task("later")] } }));
    mark(stage, 1_000_000);
    stage.send("r", { type: "restore" });
    stage.run("r");
    mark(stage, 1_000_000);
    stage.claim("r.success0");
    stage.send("r", stop("cancel", 100));
    expect(isPurgeable(stage.get("r"), FAR)).toBe(false);
    stage.pass(100);
    expect(stage.status("r.success0")).toBe("CANCELLED");
    expect(stage.get("r")).toMatchObject({
      status: "SUCCEEDED",
      deletion: { action: "cancel", reason: "by hand", purgeAt: stage.now },
    });
    expect(isPurgeable(stage.get("r"), stage.now)).toBe(true);
    const removed = expect.objectContaining({ code: "ILLEGAL_TRANSITION" });
    for (const type of ["restore", "rerun", "resume", "suspend"] as const)
      expect(() => stage.send("r", { type })).toThrow(removed);
    expect(() => mark(stage, 1)).toThrow(removed);
    expect(() => stage.send("r", { type: "extend", purgeAt: FAR })).toThrow(removed);
  });

  it("waits for a lock to end, and is of roots alone", () => {
    const stage = new Stage();
    stage.submit(chain([task("ok")]));
    stage.settle();
    mark(stage, 0);
    const record: SignatureRecord = stage.get("r");
    const held = { token: "t", by: "somebody", until: stage.now + 10 };
    for (const locked of [relocked(record, held, stage.now), notedInside(record, "r.0", held, stage.now)]) {
      expect(isPurgeable(locked, stage.now)).toBe(false);
      expect(isPurgeable(locked, stage.now + 10)).toBe(true);
      expect(rearmed(locked, stage.now).deletion!.purgeAt).toBe(held.until);
    }
    expect(() => stage.send("r.0", marked(stage.now))).toThrow("by its root");
  });
});

describe("retention", () => {
  const kept = { stub: false, succeeded: 500, failed: null };

  it("marks what settles, with all that follows from it, in the commit in which it does", () => {
    const stage = new Stage();
    stage.submit(task("ok", { retain: kept, callbacks: { success: [task("later")] } }));
    stage.run("r");
    expect(stage.get("r").deletion).toBeNull();
    stage.settle();
    expect(stage.get("r").deletion).toMatchObject({ action: "retention", purgeAt: stage.now + 500 });
  });

  it("is taken away for good by restore, until the next life has come to its end", () => {
    const stage = new Stage();
    stage.submit(task("ok", { retain: kept }));
    stage.settle();
    stage.send("r", { type: "restore" });
    expect(stage.get("r").deletion).toBeNull();
    stage.send("r", { type: "rerun" });
    stage.settle();
    expect(stage.get("r").deletion).toMatchObject({ action: "retention", generation: 2 });
  });

  it("keeps what has no span for its outcome", () => {
    const stage = new Stage();
    stage.submit(swarm([task("bad")], { retain: kept }));
    stage.settle();
    expect(stage.get("r").deletion).toBeNull();
  });
});
