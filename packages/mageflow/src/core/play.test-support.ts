import fc from "fast-check";
import { expect } from "vitest";
import type { Callbacks, PlanNode } from "./plan.ts";
import { isSettled, MILESTONE, type SignatureRecord, type Stop } from "./record.ts";
import type { Addressed, Signal } from "./signal.ts";
import { byName, chain, swarm, task } from "./sample-plans.test-support.ts";
import type { Stage } from "./stage.test-support.ts";
import { isEnded } from "./status.ts";
import { ancestors } from "./view.ts";

/** Random plans, and a world that does random things to them. */

const retry = { attempts: 2, type: "fixed", delay: 100, max: 100, jitter: "none" } as const;

const made = fc.letrec<{ plan: PlanNode; task: PlanNode; callbacks: Partial<Callbacks> }>((tie) => {
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
          onLimit: fc.constantFrom("finish", "finish", "interrupt"),
          delay,
          callbacks,
          itemCallbacks: callbacks,
        })
        .map(({ items, ...options }) => swarm(items, options)),
    ),
  };
});

export const PLAN: fc.Arbitrary<PlanNode> = made.plan;

/** What the world may do next; the number says to whom. */
export const EVENT: fc.Arbitrary<Event> = fc.tuple(
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
export type Event = [
  (
    | "claim"
    | "finish"
    | "recover"
    | "release"
    | "pass"
    | "suspend"
    | "resume"
    | "again"
    | "together"
    | "interrupt"
    | "rerun"
    | "delete"
    | "restore"
    | "park"
  ),
  number,
];

/** With interrupts among them, and lost workers whose tasks are parked. */
export const EVENT_OR_INTERRUPT: fc.Arbitrary<Event> = fc.oneof(
  { weight: 9, arbitrary: EVENT },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom("interrupt", "park"), fc.nat(10_000)) },
);

/** With everything among them that a person may want and that takes nothing away. */
export const EVENT_OR_ORDER: fc.Arbitrary<Event> = fc.oneof(
  { weight: 9, arbitrary: EVENT },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom("interrupt", "rerun", "delete", "restore"), fc.nat(10_000)),
  },
);

/** An order to stop that comes from a person. */
export function stop(verb: Stop["verb"], grace: number): Signal {
  return { type: "halt", verb, actor: "somebody", reason: "by hand", grace, by: null };
}

/** The mark of deletion, far from its time. */
export function marked(now: number): Signal {
  return { type: "delete", purgeAt: now + 1_000_000_000, by: "somebody", reason: null };
}

export function play(stage: Stage, events: readonly Event[]): void {
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
      case "recover": {
        const how = { resume: true, dueAt: at % 2 === 0 ? null : stage.now + (at % 60) } as const;
        if (running !== undefined && running.recoveries < 4)
          stage.send(running.id, { type, epoch: running.epoch, how });
        break;
      }
      case "park": {
        const how = { resume: false, actor: "auto-resume", reason: "off" } as const;
        if (running !== undefined) stage.send(running.id, { type: "recover", epoch: running.epoch, how });
        break;
      }
      case "release":
        if (running !== undefined) stage.send(running.id, { type, epoch: running.epoch });
        break;
      case "pass":
        stage.pass(at % 120);
        break;
      case "suspend": {
        const target = pick(
          ({ status, kind, stop }) =>
            !isEnded(status) && stop === null && !(kind === "task" && status === "RUNNING"),
        );
        if (target !== undefined) stage.send(target.id, { type });
        break;
      }
      case "resume": {
        const target = pick((record) => record.status === "SUSPENDED" || record.status === "INTERRUPTED");
        if (target !== undefined) stage.send(target.id, { type });
        break;
      }
      case "interrupt": {
        const target = pick((record) => !isEnded(record.status));
        if (target !== undefined) stage.send(target.id, stop("interrupt", at % 3 === 0 ? 0 : 100));
        break;
      }
      case "rerun":
        if (isEnded(stage.status("r")) && isSettled(stage.get("r"))) stage.send("r", { type });
        break;
      case "delete":
        stage.send("r", marked(stage.now));
        break;
      case "restore":
        stage.send("r", { type });
        break;
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
        // A credit that comes a second time; one that is still owed comes a first time, and not this way.
        const child = pick(
          ({ parentId, credited, milestone }) =>
            parentId !== null && credited > MILESTONE.OPEN && credited === milestone,
        );
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
      if (record.heldBy !== null) expect(["PENDING", "INTERRUPTED"]).toContain(record.status);
      if (record.heldBy !== null)
        expect([...ancestors(stage.view, record)].map(({ id }) => id)).toContain(record.heldBy);
      if (record.status === "SUSPENDED") expect(record.prior).not.toBeNull();
    }
  }
}

export function finishAll(stage: Stage): void {
  if (stage.get("r").deletion !== null && stage.get("r").stop?.verb !== "cancel")
    stage.send("r", { type: "restore" });
  for (let turns = 0; ; turns++) {
    if (turns > 1_000) throw new Error("what is resumed never comes to its end");
    for (const status of ["SUSPENDED", "INTERRUPTED"] as const) {
      for (const id of stage.in(status)) if (stage.status(id) === status) stage.send(id, { type: "resume" });
    }
    for (const id of stage.in("RUNNING")) if (stage.get(id).kind === "task") stage.finish(id);
    stage.drain();
    if (stage.in("SUSPENDED").length + stage.in("INTERRUPTED").length === 0) return;
  }
}

/** A repeatable shuffle; the count of a window comes before whatever else the round holds for its container. */
export function shuffler(seed: number): (round: Addressed[]) => Addressed[] {
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
