import { describe, expect, it } from "vitest";
import {
  emptyReport,
  FATES,
  type Fate,
  fateOfRoot,
  MOST_ENTRIES,
  type ResumeEntry,
  withEntries,
} from "./resume-report.ts";
import { chain, fail, swarm, task, times } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

const empty = emptyReport({ id: "1", at: 5, by: "s-1", reason: "start" });
const entry = (id: string, what: Fate): ResumeEntry => ({ id, name: "t", what, why: "because" });

describe("a report", () => {
  it("counts what it saw, and names the first of it", () => {
    const many = Array.from({ length: MOST_ENTRIES + 500 }, (_, n) =>
      entry(String(n), FATES[n % FATES.length]!),
    );
    const once = withEntries(empty, many);
    const twice = withEntries(withEntries(empty, many.slice(0, 800)), many.slice(800));
    expect(twice).toEqual(once);
    expect(once.seen).toBe(1_500);
    expect(FATES.map((fate) => once[fate])).toEqual(FATES.map(() => 250));
    expect(once.entries).toEqual(many.slice(0, MOST_ENTRIES));
  });
});

describe("what becomes of an open workflow", () => {
  it("follows from its root", () => {
    const stage = new Stage();
    const fate = () => fateOfRoot(stage.get("r"))?.what;
    stage.submit(chain([task("a"), task("b")], { callbacks: { error: [task("e")] } }), { start: false });
    expect(fate()).toBe("kept");
    stage.send("r", { type: "start" });
    expect(fate()).toBe("started");
    stage.send("r", { type: "suspend" });
    expect(fate()).toBe("kept");
    stage.send("r", { type: "resume" });
    stage.claim("r.0");
    stage.finish("r.0", fail());
    expect(stage.status("r")).toBe("FAILED");
    expect(fate()).toBe("skipped");
    expect(fateOfRoot({ ...stage.get("r"), status: "SUCCEEDED" })?.what).toBe("started");
    expect(fateOfRoot({ ...stage.get("r"), status: "INTERRUPTED" })?.what).toBe("kept");
    expect(fateOfRoot({ ...stage.get("r"), status: "WAITING" })?.what).toBe("started");
    expect(fateOfRoot({ ...stage.get("r"), status: "READY" })?.what).toBe("started");
  });

  it("is skipped when it cannot but fail", () => {
    const stage = new Stage();
    stage.submit(swarm(times(3, task("a")), { stopAfterFailures: 0 }));
    for (const id of ["r.0", "r.1"]) stage.claim(id);
    stage.finish("r.0", fail());
    expect(stage.status("r")).toBe("RUNNING");
    expect(fateOfRoot(stage.get("r"))?.what).toBe("skipped");
  });

  it("is not told of a task that a worker has, or had when it was lost", () => {
    const stage = new Stage();
    const fate = () => fateOfRoot(stage.get("r"))?.what;
    stage.submit(task("a", { callbacks: { cleanup: [task("c")] } }));
    expect(fate()).toBe("started");
    stage.claim("r");
    expect(fate()).toBeUndefined();
    stage.send("r", { type: "release", epoch: stage.get("r").epoch });
    expect(fate()).toBe("started");
    const resumed = stage.get("r");
    expect(fateOfRoot({ ...resumed, recoveries: 1 })).toBeNull();
    stage.claim("r");
    const how = { resume: false, actor: "auto-resume", reason: "off" } as const;
    stage.send("r", { type: "recover", epoch: stage.get("r").epoch, how });
    expect(stage.status("r")).toBe("INTERRUPTED");
    expect(fate()).toBeUndefined();
  });
});
