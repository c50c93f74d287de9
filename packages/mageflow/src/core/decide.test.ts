/* oxlint-disable vitest/no-conditional-expect, vitest/expect-expect -- the properties assert in `judge`. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isCallback } from "./ids.ts";
import type { Callbacks, PlanNode } from "./plan.ts";
import { MILESTONE, type SignatureRecord } from "./record.ts";
import type { Addressed } from "./signal.ts";
import { byName, chain, outcomeOf, Stage, type StageOptions, swarm, task } from "./stage.test-support.ts";
import { isEnded } from "./status.ts";
import { ancestors } from "./view.ts";

const retry = { attempts: 2, type: "fixed", delay: 100, max: 100, jitter: "none" } as const;

const { plan: PLAN } = fc.letrec<{ plan: PlanNode; task: PlanNode; callbacks: Partial<Callbacks> }>((tie) => {
  const few = (max: number) => fc.array(tie("plan"), { maxLength: max, depthIdentifier: "plan" });
  const delay = fc.constantFrom(0, 0, 0, 50, 200);
  const callbacks = fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    { weight: 2, arbitrary: tie("callbacks") },
  );
  return {
    callbacks: fc.record({ success: few(2), error: few(2), cleanup: few(2) }, { requiredKeys: [] }),
    task: fc
      .tuple(fc.constantFrom("ok", "ok", "bad", "flaky", "dead"), delay, callbacks, fc.boolean())
      .map(([name, wait, attached, again]) =>
        task(name, { delay: wait, callbacks: attached, ...(again ? { retry } : {}) }),
      ),
    plan: fc.oneof(
      { depthIdentifier: "plan", depthSize: "small", maxDepth: 4, withCrossShrink: true },
      tie("task"),
      fc
        .tuple(
          fc.array(tie("plan"), { minLength: 1, maxLength: 4, depthIdentifier: "plan" }),
          delay,
          callbacks,
        )
        .map(([steps, wait, attached]) => chain(steps, { delay: wait, callbacks: attached })),
      fc
        .record({
          items: few(5),
          concurrency: fc.option(fc.integer({ min: 1, max: 3 })),
          stopAfterFailures: fc.option(fc.nat(2)),
          delay,
          callbacks,
          itemCallbacks: callbacks,
        })
        .map(({ items, ...options }) => swarm(items, options)),
    ),
  };
});

/** What the world may do next; the number says to whom. */
const EVENT = fc.tuple(
  fc.constantFrom(
    "claim",
    "claim",
    "claim",
    "finish",
    "finish",
    "finish",
    "recover",
    "release",
    "pass",
    "suspend",
    "resume",
    "again",
    "together",
  ),
  fc.nat(10_000),
);
type Event = typeof EVENT extends fc.Arbitrary<infer E> ? E : never;

function play(stage: Stage, events: readonly Event[]): void {
  for (const [type, at] of events) {
    const all = [...stage.records.values()];
    const pick = (fits: (record: SignatureRecord) => boolean) => {
      const fit = all.filter(fits);
      return fit.length === 0 ? undefined : fit[at % fit.length];
    };
    const running = pick((record) => record.kind === "task" && record.status === "RUNNING");
    switch (type) {
      case "claim": {
        const ready = pick((record) => record.status === "READY");
        if (ready !== undefined) stage.claim(ready.id);
        break;
      }
      case "finish":
        if (running !== undefined) stage.finish(running.id);
        break;
      case "recover":
      case "release":
        if (running !== undefined && running.recoveries < 4)
          stage.send(running.id, { type, epoch: running.epoch });
        break;
      case "pass":
        stage.pass(at % 120);
        break;
      case "suspend": {
        const target = pick(
          (record) => !isEnded(record.status) && !(record.kind === "task" && record.status === "RUNNING"),
        );
        if (target !== undefined) stage.send(target.id, { type });
        break;
      }
      case "resume": {
        const target = pick((record) => record.status === "SUSPENDED");
        if (target !== undefined) stage.send(target.id, { type });
        break;
      }
      case "together": {
        // One commit for what gathered: every task that runs ends, something is resumed, a time has come.
        const signals: Addressed[] = all
          .filter((record) => record.kind === "task" && record.status === "RUNNING")
          .map((record) => ({
            to: record.id,
            signal: { type: "finish", epoch: record.epoch, outcome: byName(record) },
          }));
        const suspended = pick((record) => record.status === "SUSPENDED");
        if (suspended !== undefined) signals.push({ to: suspended.id, signal: { type: "resume" } });
        for (const { id, status, dueAt } of all) {
          if (status === "WAITING" && dueAt! <= stage.now) signals.push({ to: id, signal: { type: "due" } });
        }
        stage.commit(signals);
        break;
      }
      case "again": {
        // A credit that comes a second time.
        const child = pick((record) => record.parentId !== null && record.credited > MILESTONE.OPEN);
        if (child !== undefined) {
          stage.send(child.parentId!, { type: "credit", credits: [{ child, from: child.credited }] });
        }
        break;
      }
    }
    expect(stage.remedies(), "everything has a reason to wait").toEqual([]);
    stage.tidy();
    expect(stage.remedies(), "everything has a reason to wait").toEqual([]);
    stage.audit();
    for (const record of stage.records.values()) {
      if (record.heldBy !== null) expect(record.status).toBe("PENDING");
      if (record.heldBy !== null)
        expect([...ancestors(stage.view, record)].map(({ id }) => id)).toContain(record.heldBy);
      if (record.status === "SUSPENDED") expect(record.prior).not.toBeNull();
    }
  }
}

function finishAll(stage: Stage): void {
  for (;;) {
    for (const id of stage.in("SUSPENDED"))
      if (stage.status(id) === "SUSPENDED") stage.send(id, { type: "resume" });
    for (const id of stage.in("RUNNING")) if (stage.get(id).kind === "task") stage.finish(id);
    stage.drain();
    if (stage.in("SUSPENDED").length === 0) return;
  }
}

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
    const due = { success: 0, error: 0, cleanup: 0, itemSuccess: 0, itemError: 0, itemCleanup: 0 };
    if (status !== "SKIPPED") {
      const succeeded = status === "SUCCEEDED";
      due[succeeded ? "success" : "error"] = spec.callbacks[succeeded ? "success" : "error"].length;
      due[succeeded ? "itemSuccess" : "itemError"] = item?.[succeeded ? "success" : "error"].length ?? 0;
      due.cleanup = spec.callbacks.cleanup.length;
      due.itemCleanup = item?.cleanup.length ?? 0;
    }
    for (const [role, count] of Object.entries(due)) {
      expect(all.filter((child) => child.role === role).length, `${role} callbacks of ${id}`).toBe(count);
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
      ...all.filter((child) => child.role === "cleanup").toSorted((a, b) => b.slot - a.slot),
      ...all.filter((child) => child.role === "itemCleanup").toSorted((a, b) => b.slot - a.slot),
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
  expect(settled.map((entry) => entry.id)).toEqual(["r"]);
  expect(stage.journal.at(-1)).toBe(settled[0]);
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
