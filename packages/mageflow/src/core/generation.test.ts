/* oxlint-disable vitest/expect-expect -- the property asserts in `judge`. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge } from "./judge.test-support.ts";
import { EVENT_OR_ORDER, finishAll, PLAN, play, shuffler, stop } from "./play.test-support.ts";
import { chain, swarm, task, times } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

describe("any workflow that is run again", () => {
  it("settles with its plan's outcome, its callbacks once a generation, whatever happens in between", () => {
    fc.assert(
      fc.property(
        PLAN,
        fc.array(fc.array(EVENT_OR_ORDER, { maxLength: 30 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(1, 2, 500),
        fc.option(fc.integer()),
        (plan, lives, window, seed) => {
          const stage = new Stage({ window, ...(seed === null ? {} : { order: shuffler(seed) }) });
          stage.submit(plan);
          for (const [life, events] of lives.entries()) {
            if (life > 0) stage.send("r", { type: "rerun" });
            play(stage, events);
            finishAll(stage);
            judge(stage, plan);
            const { generation } = stage.get("r");
            expect(generation).toBeGreaterThan(life);
          }
        },
      ),
      { numRuns: Number(process.env["RUNS"] ?? 150) },
    );
  });
});

describe("rerun", () => {
  const refused = (text: string) => expect.objectContaining({ message: expect.stringContaining(text) });

  it("is refused for what has not ended, is inside another, has callbacks that have not ended, or is cancelled", () => {
    const stage = new Stage();
    stage.submit(chain([task("ok")], { callbacks: { success: [task("later")] } }));
    const again = (id: string) => () => stage.send(id, { type: "rerun" });
    expect(again("r")).toThrow(refused("only what has ended"));
    stage.run("r.0");
    expect(again("r.0")).toThrow(refused("rerun the root"));
    expect(again("r")).toThrow(refused("its callbacks have not ended"));
    stage.settle();
    stage.send("r", stop("cancel", 0));
    expect(again("r")).toThrow(refused("it was cancelled"));
  });

  it.each(["suspend", "interrupt"] as const)(
    "goes on resetting after %s came in the middle of it",
    (verb) => {
      const stage = new Stage({ window: 2 });
      stage.submit(swarm(times(7, task("ok"))));
      stage.settle();
      stage.send("r", { type: "rerun" });
      expect(stage.in("PENDING").length).toBe(2);
      stage.send("r", verb === "suspend" ? { type: "suspend" } : stop("interrupt", 0));
      while (stage.tidy());
      expect(stage.in("SUCCEEDED").length).toBe(5);
      stage.send("r", { type: "resume" });
      stage.settle();
      expect(stage.get("r").family).toMatchObject({ total: 7, succeeded: 7 });
      expect(stage.order("RUNNING", (id) => id !== "r").length).toBe(14);
    },
  );

  it("clears the mark of deletion and takes another message", () => {
    const stage = new Stage();
    stage.submit(task("ok"));
    stage.settle();
    stage.send("r", { type: "delete", purgeAt: stage.now, by: "somebody", reason: null });
    stage.send("r", { type: "rerun", message: '{"n":1}' });
    expect(stage.get("r")).toMatchObject({ deletion: null, message: '{"n":1}', generation: 2, origin: 2 });
  });
});
