import { describe, expect, it } from "vitest";
import { stop } from "./play.test-support.ts";
import type { SignatureRecord } from "./record.ts";
import { chain, swarm, task, times } from "./sample-plans.test-support.ts";
import { LostError, Stage } from "./stage.test-support.ts";
import { isEnded } from "./status.ts";

/** More than two windows. */
const MANY = 1_050;

/** Every second commit of a sweep is lost, as if its process had died at its end, and is made again from what was stored. */
function goOn(stage: Stage, losses: { next: boolean }): number {
  let commits = 0;
  for (;;) {
    const [sweeping] = [...stage.records.values()].filter(({ sweep }) => sweep !== null);
    if (sweeping === undefined) return commits;
    losses.next = commits++ % 2 === 0;
    try {
      stage.send(sweeping.id, { type: "sweep" });
    } catch (error) {
      if (!(error instanceof LostError)) throw error;
    }
    losses.next = false;
  }
}

function set(): { stage: Stage; losses: { next: boolean } } {
  const losses = { next: false };
  return { stage: new Stage({ lost: () => losses.next }), losses };
}

/** A swarm with all of its items under way. */
function underWay(stage: Stage, item = task("ok", { callbacks: { cleanup: [task("clean")] } })): void {
  stage.submit(swarm(times(MANY, item), { concurrency: MANY }));
  while (stage.tidy());
}

const count = (stage: Stage, fits: (record: SignatureRecord) => boolean): number =>
  [...stage.records.values()].filter(fits).length;

describe("a sweep over more than a window", () => {
  it.each(["interrupt", "cancel"] as const)("to %s tells everything that runs once", (verb) => {
    const { stage, losses } = set();
    underWay(stage);
    for (const { id } of stage.ready()) stage.claim(id);
    stage.send("r", stop(verb, 0));
    expect(goOn(stage, losses)).toBeGreaterThan(3);
    expect(stage.get("r").family).toMatchObject({ halting: MANY });
    stage.pass(0);
    stage.drain();
    expect(stage.get("r")).toMatchObject({ stop: { done: true }, family: { halting: 0, active: 0 } });
    expect(count(stage, ({ role, status }) => role === "cleanup" && status === "SUCCEEDED")).toBe(MANY);
  });

  it("to hasten reaches everything that runs inside", () => {
    const { stage, losses } = set();
    underWay(stage, chain([task("long")]));
    for (const { id } of stage.ready()) stage.claim(id);
    stage.send("r", stop("interrupt", 10_000));
    goOn(stage, losses);
    stage.send("r", stop("interrupt", 100));
    expect(goOn(stage, losses)).toBeGreaterThan(3);
    const until = stage.now + 100;
    expect(count(stage, (record) => record.status === "RUNNING" && record.stop?.until === until)).toBe(MANY);
    stage.pass(100);
    stage.drain();
    expect(stage.get("r")).toMatchObject({ stop: { done: true }, family: { halting: 0 } });
  });

  it("is given to nobody when it is not asked for any more", () => {
    const stage = new Stage({ window: 1 });
    stage.submit(swarm(times(3, task("ok"))));
    stage.commit([
      { to: "r", signal: { type: "sweep" } },
      { to: "r", signal: { type: "suspend" } },
    ]);
    expect(stage.get("r")).toMatchObject({ status: "SUSPENDED", family: { active: 1 } });
    expect(stage.in("READY")).toEqual(["r.0"]);
    expect(stage.get("r.1")).toMatchObject({ status: "PENDING", readyAt: null, heldBy: null });
    stage.send("r", { type: "resume" });
    stage.settle();
  });

  it("to cancel reaches callbacks of what has ended", () => {
    const { stage, losses } = set();
    underWay(stage, task("ok", { callbacks: { success: [chain([task("ok"), task("ok")])] } }));
    for (const { id } of stage.ready()) stage.run(id);
    for (const { id } of stage.ready()) stage.claim(id);
    stage.send("r", stop("cancel", 0));
    expect(goOn(stage, losses)).toBeGreaterThan(3);
    stage.pass(0);
    while (stage.tidy());
    expect(count(stage, ({ role, status }) => role === "success" && status === "CANCELLED")).toBe(MANY);
    expect(count(stage, ({ status }) => status === "RUNNING")).toBe(0);
    expect(stage.get("r")).toMatchObject({ stop: { done: true }, deletion: { action: "cancel" } });
  });

  it("to reset forgets every child before the first begins again", () => {
    const { stage, losses } = set();
    underWay(stage, task("ok"));
    stage.settle();
    stage.send("r", { type: "rerun" });
    expect(goOn(stage, losses)).toBeGreaterThan(3);
    expect(count(stage, ({ generation }) => generation === 2)).toBe(MANY + 1);
    stage.settle();
    expect(stage.get("r").family).toMatchObject({ total: MANY, succeeded: MANY });
  });

  it("to skip and to let go what was stopped under a swarm that is past its limit", () => {
    const { stage, losses } = set();
    const inner = swarm(times(MANY, task("ok", { callbacks: { success: [task("later")] } })), {
      concurrency: MANY,
    });
    stage.submit(swarm([task("bad"), inner], { stopAfterFailures: 0 }));
    while (stage.tidy());
    // Half of them have ended, and what follows is held when it is asked for.
    for (const { id, slot } of stage.ready()) if (slot % 2 === 0 && id.startsWith("r.1.")) stage.run(id);
    stage.send("r.1", stop("interrupt", 0));
    for (const { id } of stage.ready()) if (id !== "r.0") stage.claim(id);
    expect(count(stage, ({ heldBy }) => heldBy === "r.1")).toBe(MANY);
    stage.run("r.0");
    expect(goOn(stage, losses)).toBeGreaterThan(3);
    expect(stage.status("r.1")).toBe("SKIPPED");
    stage.settle();
    expect(count(stage, ({ role, status }) => role === "success" && isEnded(status))).toBe(MANY / 2);
  });

  it("to let cleanups go on that a suspension held, when what was suspended is stopped", () => {
    const { stage, losses } = set();
    underWay(stage);
    const ready = stage.ready();
    for (const { id } of ready) stage.claim(id);
    stage.send("r", { type: "suspend" });
    for (const { id } of ready) stage.finish(id);
    stage.pass(1);
    for (const { id } of stage.ready()) stage.claim(id);
    expect(count(stage, ({ heldBy }) => heldBy === "r")).toBe(MANY);
    stage.send("r", stop("interrupt", 0));
    expect(goOn(stage, losses)).toBeGreaterThan(3);
    expect(stage.get("r").stop).toMatchObject({ done: false });
    stage.drain();
    expect(count(stage, ({ role, status }) => role === "cleanup" && status === "SUCCEEDED")).toBe(MANY);
    expect(stage.get("r").stop).toMatchObject({ done: true });
  });
});
