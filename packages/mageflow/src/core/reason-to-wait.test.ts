import { describe, expect, test } from "vitest";
import type { PlanNode } from "./plan.ts";
import type { Family, SignatureRecord } from "./record.ts";
import { chain, swarm, task, times } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

/** What is broken, and by what: an id, and what becomes of its record. */
type Damage = readonly [id: string, change: (record: SignatureRecord) => Partial<SignatureRecord>];

const untold = (): Partial<SignatureRecord> => ({ status: "PENDING", readyAt: null, heldBy: null });
const counts =
  (family: Partial<Family>) =>
  (record: SignatureRecord): Partial<SignatureRecord> => ({ family: { ...record.family!, ...family } });

const INTERRUPT = { type: "halt", verb: "interrupt", actor: "a", reason: null, grace: 9, by: null } as const;

const CLEANED_TASK = task("ok", { callbacks: { success: [task("ok")], cleanup: [task("ok"), task("ok")] } });

const CASES: readonly {
  readonly what: string;
  readonly plan: PlanNode;
  /** Tasks that have run before. */
  readonly after?: readonly string[];
  readonly damage: readonly Damage[];
}[] = [
  {
    what: "a task that waits for no time",
    plan: task("ok"),
    damage: [["r", () => ({ status: "WAITING", dueAt: null })]],
  },
  {
    what: "a container that waits for no time",
    plan: chain([task("ok")], { delay: 500 }),
    damage: [["r", () => ({ dueAt: null })]],
  },
  {
    what: "a task that runs under no worker",
    plan: task("ok"),
    damage: [["r", () => ({ status: "RUNNING", workerId: null, attempt: 1, epoch: 1 })]],
  },
  {
    what: "an item that was told to start",
    plan: swarm(times(3, task("ok")), { concurrency: 2 }),
    damage: [["r.0", () => ({ status: "PENDING" })]],
  },
  {
    what: "a step that is held by what does not hold it",
    plan: chain([chain([task("ok")]), task("ok")]),
    damage: [["r.0.0", () => ({ status: "PENDING", heldBy: "r" })]],
  },
  {
    what: "an item that is held by what is not there",
    plan: swarm(times(3, task("ok"))),
    damage: [["r.1", () => ({ status: "PENDING", heldBy: "nobody" })]],
  },
  {
    what: "a step whose turn it is",
    plan: chain([task("ok"), task("ok"), task("ok")]),
    after: ["r.0"],
    damage: [["r.1", untold]],
  },
  {
    what: "a chain that counts a step too few",
    plan: chain([task("ok"), task("ok"), task("ok")]),
    after: ["r.0"],
    damage: [
      ["r.1", untold],
      ["r", counts({ succeeded: 0 })],
    ],
  },
  {
    what: "a chain that counts a step too many",
    plan: chain([task("ok"), task("ok"), task("ok")]),
    damage: [
      ["r.0", untold],
      ["r", counts({ succeeded: 1 })],
    ],
  },
  {
    what: "a swarm that starts nothing",
    plan: swarm(times(4, task("ok")), { concurrency: 2 }),
    damage: [
      ["r.0", untold],
      ["r.1", untold],
      ["r", counts({ active: 0 })],
    ],
  },
  {
    what: "a swarm whose slots are taken by nothing",
    plan: swarm(times(4, task("ok")), { concurrency: 2 }),
    damage: [
      ["r.0", untold],
      ["r.1", untold],
    ],
  },
  {
    what: "a swarm that counts an end too few",
    plan: swarm([task("ok"), task("bad"), task("ok")], { concurrency: 1 }),
    after: ["r.0", "r.1"],
    damage: [
      ["r.2", untold],
      ["r", counts({ succeeded: 0, failed: 0, active: 0 })],
    ],
  },
  {
    what: "a success callback that was not started",
    plan: chain([CLEANED_TASK, task("ok")]),
    after: ["r.0"],
    damage: [["r.0.success0", untold]],
  },
  {
    what: "a cleanup whose turn it is",
    plan: CLEANED_TASK,
    after: ["r"],
    damage: [["r.cleanup1", untold]],
  },
  {
    what: "an owner that counts what was cleaned up as unclean",
    plan: chain([CLEANED_TASK], { callbacks: { cleanup: [task("ok")] } }),
    after: ["r.0", "r.0.success0", "r.0.cleanup1", "r.0.cleanup0"],
    damage: [
      ["r.cleanup0", untold],
      ["r", counts({ uncleaned: 1 })],
    ],
  },
  {
    what: "an owner that stands behind its milestone",
    plan: CLEANED_TASK,
    after: ["r", "r.success0", "r.cleanup1", "r.cleanup0"],
    damage: [["r", () => ({ milestone: 1, credited: 1 })]],
  },
  {
    what: "an owner that counts what is settled as unsettled",
    plan: CLEANED_TASK,
    after: ["r", "r.success0", "r.cleanup1", "r.cleanup0"],
    damage: [["r", (record) => ({ ...counts({ unsettled: 1 })(record), milestone: 2, credited: 2 })]],
  },
];

describe("what has no reason to wait is mended", () => {
  test.each(CASES)("$what", ({ plan, after = [], damage }) => {
    const stage = new Stage();
    stage.submit(plan);
    for (const id of after) stage.run(id);
    expect(stage.remedies()).toEqual([]);
    for (const [id, change] of damage) {
      const record = stage.get(id);
      stage.records.set(id, { ...record, ...change(record) });
    }
    expect(stage.mend()).toBe(true);
    do stage.drain();
    while (stage.mend());
    stage.expectSettled();
    const whole = new Stage();
    whole.submit(plan);
    whole.settle();
    const story = ({ records }: Stage): string[] =>
      [...records.values()].map(({ id, status, result }) => `${id} ${status} ${result}`).toSorted();
    expect(story(stage)).toEqual(story(whole));
  });

  test("steps behind a failure that nobody skips", () => {
    const stage = new Stage();
    stage.submit(chain([task("bad"), task("ok"), task("ok")]));
    stage.run("r.0");
    const { family } = stage.get("r");
    for (const id of ["r.1", "r.2"]) {
      stage.records.set(id, {
        ...stage.get(id),
        status: "PENDING",
        milestone: 0,
        credited: 0,
        finishedAt: null,
      });
    }
    stage.records.set("r", {
      ...stage.get("r"),
      family: { ...family!, skipped: 0, unsettled: 2 },
      milestone: 2,
      credited: 2,
    });
    expect(stage.mend()).toBe(true);
    stage.expectSettled();
    expect(stage.status("r.2")).toBe("SKIPPED");
  });

  test("a swarm past its limit that skips nothing", () => {
    const stage = new Stage();
    stage.submit(swarm(times(3, task("ok")), { concurrency: 1, stopAfterFailures: 0 }));
    stage.records.set("r.0", { ...stage.get("r.0"), ...untold() });
    stage.records.set("r", { ...stage.get("r"), ...counts({ active: 0, stopping: true })(stage.get("r")) });
    expect(stage.mend()).toBe(true);
    stage.expectSettled();
    expect(stage.in("SKIPPED")).toEqual(["r.0", "r.1", "r.2"]);
  });

  test("a swarm past its limit that has not left off what is interrupted", () => {
    const stage = new Stage();
    stage.submit(swarm([task("bad"), chain([task("ok")])], { stopAfterFailures: 0 }));
    stage.claim("r.1.0");
    stage.send("r.1", INTERRUPT);
    stage.send("r.1", { type: "resume" });
    stage.run("r.0");
    expect(stage.remedies()).toEqual([]);
    const { stop } = stage.get("r.1");
    stage.records.set("r.1", { ...stage.get("r.1"), stop: { ...stop!, resumes: false } });
    stage.finish("r.1.0", { ok: false, terminal: true, cause: { name: "Error", message: "stopped" } });
    expect(stage.get("r.1")).toMatchObject({ status: "INTERRUPTED", stop: { done: true } });
    expect(stage.mend()).toBe(true);
    stage.expectSettled();
    expect(stage.status("r.1")).toBe("SKIPPED");
  });

  test("what is interrupted in what was skipped", () => {
    const stage = new Stage();
    stage.submit(chain([task("bad"), swarm([task("ok")])]));
    stage.send("r.1.0", INTERRUPT);
    const { stop } = stage.get("r.1.0");
    stage.run("r.0");
    const open = { milestone: 0, credited: 0 } as const;
    stage.records.set("r.1.0", { ...stage.get("r.1.0"), ...open, status: "INTERRUPTED", stop });
    const behind = { milestone: 1, credited: 1 } as const;
    const skipped = stage.get("r.1");
    stage.records.set("r.1", { ...skipped, ...behind, ...counts({ skipped: 0, unsettled: 1 })(skipped) });
    const failed = stage.get("r");
    stage.records.set("r", { ...failed, ...behind, ...counts({ uncleaned: 1, unsettled: 1 })(failed) });
    expect(stage.mend()).toBe(true);
    stage.expectSettled();
    expect(stage.status("r.1.0")).toBe("SKIPPED");
  });

  test.each(["ok", "bad"])("the end of a chain that was not counted, its last step %s", (last) => {
    const stage = new Stage();
    stage.submit(chain([task("ok"), task(last)]));
    stage.run("r.0");
    const before = stage.get("r");
    stage.run("r.1");
    stage.records.set("r", { ...before, family: { ...before.family!, unsettled: 0 } });
    expect(stage.mend()).toBe(true);
    stage.expectSettled();
    const { result, error } = stage.get("r.1");
    expect(stage.get("r")).toMatchObject({ status: last === "ok" ? "SUCCEEDED" : "FAILED", result, error });
  });
});

describe("what has a reason is left alone", () => {
  const remedies = (plan: PlanNode, play: (stage: Stage) => void): unknown => {
    const stage = new Stage();
    stage.submit(plan);
    play(stage);
    return stage.remedies();
  };

  test("an open swarm in which everything has ended", () => {
    expect(remedies(swarm([task("ok")], { open: true }), (stage) => stage.run("r.0"))).toEqual([]);
  });

  test.each([swarm([task("ok")]), chain([task("ok"), task("ok")])])("what is inside is suspended", (plan) => {
    expect(remedies(plan, (stage) => stage.send("r.0", { type: "suspend" }))).toEqual([]);
  });

  test("a swarm of which one item was suspended before it ran, and another while it did", () => {
    const plan = swarm([task("ok"), chain([task("ok"), task("ok")])]);
    const suspendBoth = (stage: Stage): void => {
      stage.send("r.0", { type: "suspend" });
      stage.send("r.1", { type: "suspend" });
    };
    expect(remedies(plan, suspendBoth)).toEqual([]);
  });

  test("what a suspension holds, and what it is about to let go", () => {
    const stage = new Stage();
    stage.submit(chain([swarm(times(700, task("ok")), { concurrency: null }), task("ok")]));
    while (stage.tidy());
    stage.send("r", { type: "suspend" });
    for (const { id } of stage.ready()) stage.claim(id);
    expect(stage.remedies()).toEqual([]);
    stage.send("r", { type: "resume" });
    expect(stage.get("r").sweep).toBe("unhold");
    expect(stage.remedies()).toEqual([]);
  });

  test("a cleanup that is suspended when its turn comes", () => {
    const suspendBoth = (stage: Stage): void => {
      stage.run("r");
      stage.send("r.cleanup1", { type: "suspend" });
      stage.send("r.cleanup0", { type: "suspend" });
    };
    expect(remedies(CLEANED_TASK, suspendBoth)).toEqual([]);
  });
});
