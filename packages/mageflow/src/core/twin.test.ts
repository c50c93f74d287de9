import { describe, expect, it } from "vitest";
import { chain, fail, swarm, task, times } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

const callbacks = { success: [task("s")], error: [task("e")], cleanup: [task("c0"), task("c1")] };

/** A task that runs, with two cleanups of its plan. */
function running(): Stage {
  const stage = new Stage();
  stage.submit(task("t", { callbacks, maxRecoveries: 0 }));
  stage.claim("r");
  return stage;
}

const halt = { type: "halt", actor: "a", reason: null, grace: 0, by: null } as const;

/** Ids of cleanups in the order in which they ran. */
const cleaned = (stage: Stage) => stage.order("RUNNING", (id) => /cleanup/i.test(id));

describe("a twin", () => {
  it.each([
    ["success", (stage: Stage) => stage.finish("r")],
    ["error", (stage: Stage) => stage.finish("r", fail())],
    ["CRASH_LOOP", (stage: Stage) => stage.send("r", { type: "recover", epoch: stage.get("r").epoch })],
    ["interrupt", (stage: Stage) => (stage.send("r", { ...halt, verb: "interrupt" }), stage.pass(0))],
    ["cancel", (stage: Stage) => (stage.send("r", { ...halt, verb: "cancel" }), stage.pass(0))],
  ])("waits for the end of its task, and runs in front of the cleanups of the plan: %s", (_, end) => {
    const stage = running();
    const twins = [stage.attach("r", task("x")), stage.attach("r", chain([task("y"), task("z")]))];
    expect(twins).toEqual(["r.cleanup2", "r.cleanup3"]);
    stage.audit();
    stage.drain();
    expect(cleaned(stage)).toEqual([]);
    end(stage);
    stage.settle();
    const inside = ["r.cleanup3", "r.cleanup3.0", "r.cleanup3.1"];
    expect(cleaned(stage)).toEqual([...inside, "r.cleanup2", "r.cleanup1", "r.cleanup0"]);
    expect(stage.get("r").family).toMatchObject({ cleanups: 4, cleanupsEnded: 4, unsettled: 0 });
  });

  it("of an item runs in front of the cleanups that the swarm declares", () => {
    const stage = new Stage();
    stage.submit(swarm([task("t")], { itemCallbacks: { cleanup: [task("i0"), task("i1")] } }));
    stage.claim("r.0");
    stage.attach("r.0", task("x"));
    stage.finish("r.0");
    stage.settle();
    expect(cleaned(stage)).toEqual(["r.0.cleanup0", "r.0.itemCleanup1", "r.0.itemCleanup0"]);
  });

  it("waits through retries and recoveries, and no epoch but the last adds one", () => {
    const stage = new Stage();
    stage.submit(task("flaky", { retry: { attempts: 2, type: "fixed", delay: 1, max: 1, jitter: "none" } }));
    stage.claim("r");
    const { epoch } = stage.get("r");
    stage.attach("r", task("x"));
    stage.finish("r");
    stage.pass(1);
    stage.claim("r");
    stage.send("r", { type: "recover", epoch: stage.get("r").epoch });
    stage.claim("r");
    const before = stage.get("r");
    stage.send("r", { type: "attach", epoch });
    expect(stage.get("r")).toBe(before);
    stage.finish("r");
    stage.settle();
    expect(cleaned(stage)).toEqual(["r.cleanup0"]);
  });

  it("belongs to one generation", () => {
    const stage = running();
    stage.attach("r", task("x"));
    stage.send("r", { ...halt, verb: "interrupt" });
    stage.pass(0);
    stage.drain();
    stage.send("r", { type: "resume" });
    stage.claim("r");
    expect(stage.get("r").family).toMatchObject({ cleanups: 0, cleanupsEnded: 0 });
    expect(stage.attach("r", task("x"))).toBe("r.cleanup2g2");
    stage.finish("r");
    stage.settle();
    const g2 = ["r.cleanup2g2", "r.cleanup1g2", "r.cleanup0g2"];
    expect(cleaned(stage)).toEqual(["r.cleanup2", "r.cleanup1", "r.cleanup0", ...g2]);
    stage.send("r", { type: "rerun" });
    stage.settle();
    expect(cleaned(stage).slice(6)).toEqual(["r.cleanup1g3", "r.cleanup0g3"]);
  });

  it.each([
    ['{"path":"a"}', '{"path":"a"}'],
    ["[1]", '{"result":[1]}'],
    ["null", '{"result":null}'],
  ])("gets %s as the message %s", (descriptor, message) => {
    const stage = running();
    expect(stage.get(stage.attach("r", task("x"), descriptor)).message).toBe(message);
  });

  it("has specs of its own, wherever its task and what it consists of stand", () => {
    const stage = running();
    const id = stage.attach("r", chain(times(2, task("t")), { callbacks }));
    stage.finish("r");
    stage.run(`${id}.0`);
    stage.claim(`${id}.1`);
    stage.attach(`${id}.1`, task("x", { callbacks }));
    stage.finish(`${id}.1`);
    stage.settle();
    expect(stage.status(id)).toBe("SUCCEEDED");
  });

  it("is refused when there are a thousand", () => {
    const stage = running();
    for (let n = 0; n < 1_000; n++) stage.attach("r", task("x"));
    expect(() => stage.attach("r", task("x"))).toThrow("has registered 1000 plans that release something");
    stage.finish("r");
    stage.settle();
  });
});
