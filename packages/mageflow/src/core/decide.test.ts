/* oxlint-disable vitest/no-conditional-expect, vitest/expect-expect -- the properties assert in `judge`. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callbackId, isCallback } from "./ids.ts";
import type { PlanNode } from "./plan.ts";
import {
  type Event,
  EVENT,
  EVENT_OR_INTERRUPT,
  finishAll,
  interrupt,
  PLAN,
  play,
} from "./play.test-support.ts";
import { isSettled, MILESTONE, type SignatureRecord } from "./record.ts";
import type { Addressed } from "./signal.ts";
import { chain, outcomeOf, Stage, type StageOptions, task } from "./stage.test-support.ts";
import { isEnded } from "./status.ts";
import { ancestors } from "./view.ts";

/** Everything that the specification says about a workflow that is over. */
function judge(stage: Stage, plan: PlanNode): void {
  stage.expectSettled();
  expect(stage.status("r")).toBe(outcomeOf(plan));
  const when = new Map<string, { began: number; ended: number }>();
  for (const [i, { id, to }] of stage.steps.entries()) {
    const times = when.get(id) ?? { began: Number.POSITIVE_INFINITY, ended: Number.POSITIVE_INFINITY };
    when.set(id, times);
    if (to === "RUNNING") times.began = Math.min(times.began, i);
    if (isEnded(to)) {
      expect(times.ended, `${id} ends once`).toBe(Number.POSITIVE_INFINITY);
      times.ended = i;
    }
  }
  for (const record of stage.records.values()) {
    const { id, status, kind } = record;
    const all = stage.children(id);
    const spec = stage.view.spec(record);
    const parent = record.parentId === null ? null : stage.get(record.parentId);
    const parentSpec = parent === null ? null : stage.view.spec(parent);
    const item = record.role === "item" && parentSpec?.kind === "swarm" ? parentSpec.itemCallbacks : null;
    const none = { success: 0, error: 0, cleanup: 0, itemSuccess: 0, itemError: 0, itemCleanup: 0 };
    const due = { ...none };
    const cleanupsDue = { cleanup: spec.callbacks.cleanup.length, itemCleanup: item?.cleanup.length ?? 0 };
    // Earlier generations were interrupted: they were cleaned up, and had no other callbacks.
    for (let generation = 1; generation < record.generation; generation++) {
      for (const [role, count] of Object.entries({ ...none, ...cleanupsDue })) {
        const born = all.filter((child) => child.role === role && isOf(child, record, generation));
        expect(born.length, `${role} callbacks of ${id}, generation ${generation}`).toBe(count);
      }
    }
    if (status !== "SKIPPED") {
      const succeeded = status === "SUCCEEDED";
      due[succeeded ? "success" : "error"] = spec.callbacks[succeeded ? "success" : "error"].length;
      due[succeeded ? "itemSuccess" : "itemError"] = item?.[succeeded ? "success" : "error"].length ?? 0;
      Object.assign(due, cleanupsDue);
    }
    const own = all.filter((child) => isOf(child, record, record.generation));
    for (const [role, count] of Object.entries(due)) {
      expect(own.filter((child) => child.role === role).length, `${role} callbacks of ${id}`).toBe(count);
    }
    const { family } = record;
    if (family !== null) {
      expect(family.succeeded + family.failed + family.skipped).toBe(family.total);
      expect([family.unsettled, family.uncleaned, family.active]).toEqual([0, 0, 0]);
      expect(family.cleanupsEnded).toBe(family.cleanups);
    }
    // Steps in their order, and none after a failure.
    const members = all.filter((child) => !isCallback(child.role)).toSorted((a, b) => a.slot - b.slot);
    if (kind === "chain" && status !== "SKIPPED") {
      const failed = members.findIndex((step) => step.status === "FAILED");
      for (const [slot, step] of members.entries()) {
        if (failed >= 0 && slot > failed) expect(step.status).toBe("SKIPPED");
        else expect(step.status).toBe(slot === failed ? "FAILED" : "SUCCEEDED");
        if (slot > 0 && step.status !== "SKIPPED") {
          expect(when.get(step.id)!.began).toBeGreaterThan(when.get(members[slot - 1]!.id)!.ended);
        }
      }
      if (status === "SUCCEEDED") expect(record.result).toBe(members.at(-1)!.result);
      else expect(record.error).toEqual(members[failed]!.error);
    }
    // Cleanups one after the other: own ones, then the swarm's for items, last registered first, inner before outer.
    const cleanups = [
      ...own.filter((child) => child.role === "cleanup").toSorted((a, b) => b.slot - a.slot),
      ...own.filter((child) => child.role === "itemCleanup").toSorted((a, b) => b.slot - a.slot),
    ];
    let after = when.get(id)?.ended ?? -1;
    for (const inner of stage.records.values()) {
      if (inner.role !== "cleanup" && inner.role !== "itemCleanup") continue;
      if (insideOf(stage, inner, id)) after = Math.max(after, when.get(inner.id)!.ended);
    }
    for (const cleanup of cleanups) {
      const times = when.get(cleanup.id)!;
      expect(Math.min(times.began, times.ended), `${cleanup.id} waits for its turn`).toBeGreaterThan(after);
      after = times.ended;
    }
  }
  const settled = stage.journal.filter((entry) => entry.type === "settled");
  expect(new Set(settled.map((entry) => entry.id))).toEqual(new Set(["r"]));
  // Once at the end, and each time that the root was interrupted and was not resumed before it had stopped.
  expect(settled.length).toBeLessThanOrEqual(stage.get("r").generation);
  expect(stage.journal.at(-1)).toBe(settled.at(-1));
}

/** True for a callback of this generation of its owner. */
function isOf({ id, role, slot }: SignatureRecord, owner: SignatureRecord, generation: number): boolean {
  return isCallback(role) && id === callbackId(owner.id, role, slot, generation);
}

/** True for a cleanup of something that stands in `container` through steps and items only. */
function insideOf(stage: Stage, cleanup: SignatureRecord, container: string): boolean {
  for (let at = stage.get(cleanup.parentId!); at.id !== container; at = stage.get(at.parentId)) {
    if (isCallback(at.role) || at.parentId === null) return false;
  }
  return cleanup.parentId !== container;
}

/** What must come out the same however a workflow ran: statuses and results of everything, when no swarm has a limit. */
function story(stage: Stage): string[] {
  return [...stage.records.values()].map(({ id, status, result }) => `${id} ${status} ${result}`).toSorted();
}

function limitless(plan: PlanNode): boolean {
  const { spec, children } = plan;
  if (spec.kind === "swarm" && spec.stopAfterFailures !== null) return false;
  const item = spec.kind === "swarm" ? Object.values(spec.itemCallbacks).flat() : [];
  return [...(children ?? []), ...Object.values(spec.callbacks).flat(), ...item].every(limitless);
}

const RUNS = { numRuns: 400 };

/** Counterexamples of former runs. */
const FOUND: [PlanNode, Event[]][] = [
  // The last step ends in the commit that resumes the chain.
  [
    chain([task("ok")]),
    [
      ["claim", 0],
      ["suspend", 0],
      ["together", 0],
    ],
  ],
];

describe("any workflow", () => {
  const run = (plan: PlanNode, events: readonly Event[], options: StageOptions = {}): Stage => {
    const stage = new Stage(options);
    stage.submit(plan);
    play(stage, events);
    return stage;
  };

  it("settles with the outcome that its plan has", () => {
    fc.assert(
      fc.property(PLAN, (plan) => {
        const stage = run(plan, []);
        stage.drain();
        judge(stage, plan);
      }),
      RUNS,
    );
  });

  it("settles with the same outcome through any order of claims, ends, crashes, suspensions and repeated credits", () => {
    fc.assert(
      fc.property(PLAN, fc.array(EVENT, { maxLength: 80 }), (plan, events) => {
        const stage = run(plan, events);
        finishAll(stage);
        judge(stage, plan);
        if (!limitless(plan)) return;
        const plain = run(plan, []);
        plain.drain();
        expect(story(stage)).toEqual(story(plain));
      }),
      { ...RUNS, examples: FOUND },
    );
  });

  it("settles when containers are busy and take their credits late", () => {
    fc.assert(
      fc.property(
        PLAN,
        fc.array(EVENT, { maxLength: 60 }),
        fc.infiniteStream(fc.boolean()),
        (plan, events, coin) => {
          let free = false;
          const stage = run(plan, events, { busy: () => !free && coin.next().value === true });
          free = true;
          finishAll(stage);
          judge(stage, plan);
        },
      ),
      RUNS,
    );
  });

  it("settles when the signals of a round come in another order", () => {
    fc.assert(
      fc.property(PLAN, fc.array(EVENT, { maxLength: 60 }), fc.integer(), (plan, events, seed) => {
        const stage = run(plan, events, { order: shuffler(seed) });
        finishAll(stage);
        judge(stage, plan);
      }),
      RUNS,
    );
  });

  it("holds everything inside what is suspended, from the suspension on", () => {
    fc.assert(
      fc.property(PLAN, fc.array(EVENT, { maxLength: 40 }), fc.nat(), (plan, events, at) => {
        const stage = run(plan, events);
        const open = [...stage.records.values()].filter(
          (record) => !isEnded(record.status) && !(record.kind === "task" && record.status === "RUNNING"),
        );
        if (open.length === 0) return;
        const target = open[at % open.length]!.id;
        stage.send(target, { type: "suspend" });
        const from = stage.steps.length;
        for (const id of stage.in("SUSPENDED")) {
          if (id !== target && stage.status(id) === "SUSPENDED") stage.send(id, { type: "resume" });
        }
        for (const id of stage.in("RUNNING")) if (stage.get(id).kind === "task") stage.finish(id);
        stage.drain();
        const inside = (id: string) =>
          [...ancestors(stage.view, stage.get(id))].some((record) => record.id === target);
        expect(
          stage.steps
            .slice(from)
            .filter(({ id, to }) => to === "RUNNING" && stage.get(id).kind === "task" && inside(id)),
        ).toEqual([]);
        // Unless a failure made it unreachable, it is still suspended, and nothing above it can be settled.
        expect(["SUSPENDED", "SKIPPED"]).toContain(stage.status(target));
        if (stage.status(target) === "SUSPENDED")
          expect(stage.get("r").milestone).toBeLessThan(MILESTONE.SETTLED);
        finishAll(stage);
        judge(stage, plan);
      }),
      RUNS,
    );
  });
});

describe("any workflow that is interrupted", () => {
  const run = (plan: PlanNode, events: readonly Event[], options: StageOptions = {}): Stage => {
    const stage = new Stage(options);
    stage.submit(plan);
    play(stage, events);
    return stage;
  };

  it("settles with the same outcome when all that was interrupted is resumed", () => {
    fc.assert(
      fc.property(
        PLAN,
        fc.array(EVENT_OR_INTERRUPT, { maxLength: 60 }),
        fc.integer(),
        (plan, events, seed) => {
          const stage = run(plan, events, seed % 2 === 0 ? {} : { order: shuffler(seed) });
          finishAll(stage);
          judge(stage, plan);
        },
      ),
      RUNS,
    );
  });

  it("stops within the grace, lets nothing inside begin but cleanups, and is cleaned up", () => {
    fc.assert(
      fc.property(PLAN, fc.array(EVENT_OR_INTERRUPT, { maxLength: 40 }), fc.nat(), (plan, events, at) => {
        const stage = run(plan, events);
        const open = [...stage.records.values()].filter(({ status }) => !isEnded(status));
        if (open.length === 0) return;
        const target = open[at % open.length]!.id;
        stage.send(target, interrupt(100));
        while (stage.tidy());
        const from = stage.steps.length;
        for (const status of ["SUSPENDED", "INTERRUPTED"] as const) {
          for (const id of stage.in(status)) {
            if (stage.status(id) === status && !standsIn(stage, id, target))
              stage.send(id, { type: "resume" });
          }
        }
        // Nothing that runs answers: it is fenced off when its grace is over.
        stage.pass(100);
        for (const id of stage.in("RUNNING")) {
          if (stage.get(id).kind === "task" && !standsIn(stage, id, target)) stage.finish(id);
        }
        stage.drain();
        const begun = stage.steps
          .slice(from)
          .filter(
            ({ id, to }) => to === "RUNNING" && stage.get(id).kind === "task" && standsIn(stage, id, target),
          );
        expect(begun).toEqual([]);
        expect(["INTERRUPTED", "SKIPPED"]).toContain(stage.status(target));
        expect(isSettled(stage.get(target))).toBe(true);
        finishAll(stage);
        judge(stage, plan);
      }),
      RUNS,
    );
  });
});

/** True for the target and what is inside it, cleanups and what is inside those excepted. */
function standsIn(stage: Stage, id: string, target: string): boolean {
  let at: SignatureRecord = stage.get(id);
  while (at.id !== target) {
    if (at.parentId === null || at.role === "cleanup" || at.role === "itemCleanup") return false;
    at = stage.get(at.parentId);
  }
  return true;
}

/** A repeatable shuffle; the count of a window comes before whatever else the round holds for its container. */
function shuffler(seed: number): (round: Addressed[]) => Addressed[] {
  let state = seed | 1;
  return (round) => {
    const shuffled = [...round];
    for (let i = shuffled.length - 1; i > 0; i--) {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
      const j = (state >>> 0) % (i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
    }
    const first = ({ signal }: Addressed) => (signal.type === "took" ? 0 : 1);
    return shuffled.toSorted((a, b) => first(a) - first(b));
  };
}
