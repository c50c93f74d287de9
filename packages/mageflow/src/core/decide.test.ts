/* oxlint-disable vitest/no-conditional-expect, vitest/expect-expect -- the properties assert in `judge`. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge } from "./judge.test-support.ts";
import type { PlanNode } from "./plan.ts";
import { type Event, EVENT, finishAll, PLAN, play, shuffler } from "./play.test-support.ts";
import { MILESTONE } from "./record.ts";
import { chain, task } from "./sample-plans.test-support.ts";
import { Stage, type StageOptions } from "./stage.test-support.ts";
import { isEnded } from "./status.ts";
import { ancestors } from "./view.ts";

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

const RUNS = { numRuns: Number(process.env["RUNS"] ?? 400) };

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
          ({ status, kind, stop }) =>
            !isEnded(status) && stop === null && !(kind === "task" && status === "RUNNING"),
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
        // The limit of failures of a swarm around it may have stopped it, after which its cleanups run.
        const stoppedAt = stage.steps.findIndex(
          ({ id, to }, step) => step >= from && id === target && to === "INTERRUPTED",
        );
        expect(
          stage.steps
            .slice(from, stoppedAt < 0 ? undefined : stoppedAt)
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
