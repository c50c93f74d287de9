import { describe, expect, it } from "vitest";
import { chain, fail, succeed, swarm, task, times } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

describe("a chain", () => {
  it("runs its steps one after the other and ends with the last one's result", () => {
    const stage = new Stage();
    stage.submit(chain([task("a"), task("b"), task("c")]));
    for (const [slot, id] of ["r.0", "r.1", "r.2"].entries()) {
      expect(stage.in("READY")).toEqual([id]);
      stage.run(id, succeed({ from: slot }));
    }
    expect(stage.get("r")).toMatchObject({ status: "SUCCEEDED", result: '{"from":2}', error: null });
    stage.expectSettled();
  });

  it("starts a step once, however often it hears of the one before (fault 37)", () => {
    const stage = new Stage();
    stage.submit(chain([task("a"), task("b"), task("c")]));
    stage.run("r.0");
    const child = stage.get("r.0");
    const before = [stage.get("r"), stage.get("r.1"), stage.get("r.2")];
    stage.send("r", { type: "credit", credits: [{ child, from: child.milestone }] });
    stage.send("r", { type: "available" });
    expect([stage.get("r"), stage.get("r.1"), stage.get("r.2")]).toEqual(before);
    stage.settle();
  });

  it.each([0, 1, 2, 3])("fails with the error of step %d, and skips what is behind it", (bad) => {
    const stage = new Stage();
    stage.submit(
      chain(
        [0, 1, 2, 3].map((slot) => task(slot === bad ? "bad" : "ok")),
        { callbacks: { success: [task("s")], error: [task("e")] } },
      ),
    );
    stage.settle();
    expect(stage.get("r")).toMatchObject({
      status: "FAILED",
      result: null,
      error: { message: `r.${bad}`, path: [{ id: "r" }, { id: `r.${bad}`, slot: bad }] },
      family: { total: 4, succeeded: bad, failed: 1, skipped: 3 - bad, unsettled: 0 },
    });
    expect(stage.in("SKIPPED")).toEqual([0, 1, 2, 3].slice(bad + 1).map((slot) => `r.${slot}`));
    expect(stage.status("r.error0")).toBe("SUCCEEDED");
    expect(stage.records.has("r.success0")).toBe(false);
    expect(stage.order("RUNNING", (id) => id === `r.${bad + 1}`)).toEqual([]);
  });

  it("skips nested containers to their leaves, without a callback", () => {
    const callbacks = { success: [task("s")], error: [task("e")], cleanup: [task("c")] };
    const inner = swarm([task("x", { callbacks }), chain([task("y", { callbacks })], { callbacks })], {
      callbacks,
      itemCallbacks: callbacks,
    });
    const stage = new Stage();
    stage.submit(chain([task("bad"), inner, chain([inner, task("z")])]));
    stage.settle();
    expect(stage.in("FAILED")).toEqual(["r", "r.0"]);
    expect(stage.in("SUCCEEDED")).toEqual([]);
    expect(stage.in("SKIPPED")).toHaveLength(10);
    expect(stage.get("r.1").family).toMatchObject({ total: 2, skipped: 2, active: 0, unsettled: 0 });
  });

  it("skips more steps and items than one window holds", () => {
    const stage = new Stage();
    stage.submit(chain([task("bad"), swarm(times(1_201, task("x"))), ...times(700, task("late"))]));
    stage.run("r.0");
    expect(stage.status("r")).toBe("FAILED");
    expect(stage.in("SKIPPED").length).toBeLessThan(1_902);
    stage.settle();
    expect(stage.in("SKIPPED")).toHaveLength(1_902);
    expect(stage.get("r").family).toMatchObject({ total: 702, failed: 1, skipped: 701 });
  });

  it("is credited with its outcome before what is inside has been skipped", () => {
    const stage = new Stage();
    stage.submit(
      chain([
        chain([task("bad"), ...times(1_200, task("late"))], { callbacks: { error: [task("e")] } }),
        task("next"),
      ]),
    );
    stage.run("r.0.0");
    expect(stage.in("FAILED")).toEqual(["r", "r.0", "r.0.0"]);
    expect(stage.status("r.0.error0")).toBe("READY");
    stage.settle();
  });

  it("holds a thousand steps", () => {
    const stage = new Stage();
    stage.submit(chain(times(1_000, task("step"))));
    stage.settle();
    expect(stage.get("r")).toMatchObject({ status: "SUCCEEDED", result: '"r.999"' });
    expect(stage.order("RUNNING").slice(1)).toEqual(Array.from({ length: 1_000 }, (_, slot) => `r.${slot}`));
  });

  it("waits for its own time, and a step for the step's", () => {
    const stage = new Stage();
    stage.submit(chain([task("a"), task("b", { delay: 500 })], { delay: 1_000 }));
    expect(stage.status("r")).toBe("WAITING");
    expect(stage.status("r.0")).toBe("PENDING");
    stage.pass(1_000);
    expect([stage.status("r"), stage.status("r.0")]).toEqual(["RUNNING", "READY"]);
    stage.run("r.0");
    expect(stage.get("r.1")).toMatchObject({ status: "WAITING", dueAt: stage.now + 500 });
    stage.pass(500);
    stage.run("r.1");
    expect(stage.status("r")).toBe("SUCCEEDED");
  });

  it("is not started by a timer that is not its own", () => {
    const stage = new Stage();
    stage.submit(chain([task("a"), chain([task("b")]), swarm([task("c")])]));
    stage.send("r.1", { type: "due" });
    stage.send("r.2", { type: "due" });
    expect([stage.status("r.1"), stage.status("r.2")]).toEqual(["PENDING", "PENDING"]);
  });

  it("takes an empty swarm for a step", () => {
    const stage = new Stage();
    stage.submit(chain([swarm([]), task("b")]));
    stage.settle();
    expect(stage.in("SUCCEEDED")).toEqual(["r", "r.0", "r.1"]);
  });

  it("keeps the result of a step as the step gave it", () => {
    const stage = new Stage();
    stage.submit(chain([chain([task("a")])]));
    stage.run("r.0.0", { ok: true, result: '{"__proto__":1,"x":-0}' });
    expect(stage.get("r").result).toBe('{"__proto__":1,"x":-0}');
  });

  it("tells its failing step's error with every level of the path", () => {
    const stage = new Stage();
    stage.submit(chain([chain([chain([task("deep")])])]));
    stage.run("r.0.0.0", fail("why"));
    expect(stage.get("r").error?.path.map((entry) => entry.id)).toEqual(["r", "r.0", "r.0.0", "r.0.0.0"]);
  });
});
