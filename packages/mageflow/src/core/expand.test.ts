/* oxlint-disable vitest/expect-expect, vitest/valid-expect -- `refused` is the expectation. */
import { describe, expect, it } from "vitest";
import { InvalidPlanError } from "./errors.ts";
import { expand } from "./expand.ts";
import { SpecBook } from "./spec-book.ts";
import { MAX_PLAN_DEPTH } from "./nesting.ts";
import type { PlanNode } from "./plan.ts";
import { MILESTONE, NO_FAMILY, type SignatureRecord } from "./record.ts";
import { chain, swarm, task, times } from "./sample-plans.test-support.ts";
import { Stage } from "./stage.test-support.ts";

const PLACE = {
  id: "r",
  rootId: "r",
  parentId: null,
  role: "root" as const,
  slot: 0,
  key: null,
  priority: 0,
  message: null,
  tags: [],
  now: 5,
  door: null,
};

function expanded(plan: PlanNode, book = new SpecBook("r")): SignatureRecord[] {
  return [...expand(plan, PLACE, book)];
}

const refused = (plan: unknown) => expect(() => expanded(plan as PlanNode));

describe("expand", () => {
  const plan = chain([task("a"), swarm([task("x", { key: "first" }), chain([task("y")])]), task("z")]);

  it("gives paths as ids, slots in order, children before their container", () => {
    expect(
      expanded(plan).map(({ id, parentId, role, slot, kind, key }) => [id, parentId, role, slot, kind, key]),
    ).toEqual([
      ["r.0", "r", "step", 0, "task", null],
      ["r.1.0", "r.1", "item", 0, "task", "first"],
      ["r.1.1.0", "r.1.1", "step", 0, "task", null],
      ["r.1.1", "r.1", "item", 1, "chain", null],
      ["r.1", "r", "step", 1, "swarm", null],
      ["r.2", "r", "step", 2, "task", null],
      ["r", null, "root", 0, "chain", null],
    ]);
  });

  it("starts nothing", () => {
    for (const record of expanded(plan)) {
      expect(record).toMatchObject({
        rootId: "r",
        status: "PENDING",
        prior: null,
        heldBy: null,
        generation: 1,
        attempt: 0,
        epoch: 0,
        recoveries: 0,
        readyAt: null,
        dueAt: null,
        deadlineAt: null,
        startedAt: null,
        finishedAt: null,
        createdAt: 5,
        milestone: MILESTONE.OPEN,
        credited: MILESTONE.OPEN,
        sweep: null,
        result: null,
        error: null,
      });
    }
  });

  it("counts the children of a container", () => {
    const family = new Map(expanded(plan).map((record) => [record.id, record.family]));
    expect(family.get("r.0")).toBeNull();
    expect(family.get("r.1")).toEqual({ ...NO_FAMILY, total: 2, unsettled: 2 });
    expect(family.get("r")).toEqual({ ...NO_FAMILY, total: 3, unsettled: 3 });
    expect(expanded(swarm([], { open: true }))[0]!.family).toEqual({ ...NO_FAMILY, open: true });
  });

  it("gives a plan used twice two places", () => {
    const step = task("same");
    expect(expanded(chain([step, step])).map((record) => record.id)).toEqual(["r.0", "r.1", "r"]);
  });

  it("stores a spec once for all plans that share it", () => {
    const book = new SpecBook("r");
    const { spec } = task("one");
    const items = Array.from({ length: 2_500 }, (_, i) => ({
      spec,
      bound: `{"i":${i}}`,
      key: null,
      children: null,
    }));
    const records = expanded(swarm(items), book);
    expect(new Set(records.map((record) => record.spec)).size).toBe(2);
    const rows = book.take();
    expect(rows).toHaveLength(2);
    expect(rows.map((row) => row.rootId)).toEqual(["r", "r"]);
    expect(book.take()).toEqual([]);
    expect(records[7]!.bound).toBe('{"i":7}');
  });

  it("goes by identity: equal specs that are not the same are stored for each", () => {
    const book = new SpecBook("r");
    expanded(chain([task("one"), task("one")]), book);
    expect(book.take()).toHaveLength(3);
  });

  it("stays correct with more specs than it remembers", () => {
    const book = new SpecBook("r");
    const shared = task("shared");
    const items = Array.from({ length: 3_000 }, (_, i) => (i % 2 === 0 ? shared : task(`t${i}`)));
    const records = expanded(swarm(items), book);
    const bodies = new Map(
      book.take().map((row) => [row.id, (JSON.parse(row.body) as { name: string }).name]),
    );
    expect(bodies.size).toBeLessThan(1_600);
    for (const record of records) expect(bodies.get(record.spec)).toBe(record.name);
  });

  it("keeps the spec ids of different expansions of one workflow apart", () => {
    const ids = ["r", "r.0.success0", "r.0.success1", "r.17"].flatMap((origin) => {
      const book = new SpecBook("r", origin);
      expanded(chain([task("a"), task("b")]), book);
      return book.take().map((row) => row.id);
    });
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("stores callbacks inside their owner's spec, not as records", () => {
    const stage = new Stage();
    stage.submit(chain([task("a", { callbacks: { success: [chain([task("cb")])] } })]), { start: false });
    expect([...stage.records.keys()].toSorted()).toEqual(["r", "r.0"]);
    expect(stage.view.spec(stage.get("r.0")).callbacks.success[0]!.spec.kind).toBe("chain");
  });

  it("inherits priority from the nearest that has one", () => {
    const priorities = expanded(
      swarm(
        [
          task("a"),
          task("b", { priority: 9 }),
          chain([task("c"), task("d", { priority: 0 })], { priority: -3 }),
        ],
        {
          priority: 4,
        },
      ),
    ).map(({ id, priority }) => [id, priority]);
    expect(Object.fromEntries(priorities)).toEqual({
      r: 4,
      "r.0": 4,
      "r.1": 9,
      "r.2": -3,
      "r.2.0": -3,
      "r.2.1": 0,
    });
    expect(expanded(task("a"))[0]!.priority).toBe(0);
  });

  it("is lazy: a swarm of any size is read piece by piece", () => {
    let given = 0;
    const item = task("one");
    function* endless(): Generator<PlanNode> {
      for (;;) {
        given++;
        yield item;
      }
    }
    const records = expand(swarm(endless()), PLACE, new SpecBook("r"));
    for (let i = 0; i < 10; i++) expect(records.next().value).toMatchObject({ id: `r.${i}` });
    expect(given).toBeLessThanOrEqual(11);
  });

  it("reads an iterable anew at every expansion", () => {
    const items = { *[Symbol.iterator]() { yield task("a"); yield task("b"); } }; // prettier-ignore
    expect(expanded(swarm(items))).toHaveLength(3);
    expect(expanded(swarm(items))).toHaveLength(3);
  });

  it("takes an empty swarm", () => {
    expect(expanded(swarm([]))).toHaveLength(1);
  });

  it("refuses an empty chain, at any depth", () => {
    refused(chain([])).toThrow(InvalidPlanError);
    refused(swarm([task("a"), chain([chain([])])])).toThrow(InvalidPlanError);
  });

  it("refuses two items of one key, bytewise", () => {
    refused(swarm([task("a", { key: "k" }), task("b", { key: "k" })])).toThrow(/two items with the key "k"/);
    expect(
      expanded(swarm([task("a", { key: "k" }), task("b", { key: "K" }), task("c"), task("d")])),
    ).toHaveLength(5);
  });

  it("leaves out the keys of steps, so that a keyed plan can stand in a chain twice", () => {
    const keyed = task("a", { key: "k" });
    const records = expanded(chain([keyed, keyed, swarm([keyed])]));
    expect(records.map(({ id, key }) => [id, key])).toEqual([
      ["r.0", null],
      ["r.1", null],
      ["r.2.0", "k"],
      ["r.2", null],
      ["r", null],
    ]);
  });

  it("refuses more items than maxTasks", () => {
    expect(expanded(swarm(times(3, task("a")), { maxTasks: 3 }))).toHaveLength(4);
    refused(swarm(times(4, task("a")), { maxTasks: 3 })).toThrow(/maxTasks of 3/);
  });

  it(`nests ${MAX_PLAN_DEPTH} containers and no more`, () => {
    const nested = (containers: number): PlanNode => {
      let inner = task("leaf");
      for (let i = 0; i < containers; i++) inner = i % 2 === 0 ? chain([inner]) : swarm([inner]);
      return inner;
    };
    expect(expanded(nested(MAX_PLAN_DEPTH))).toHaveLength(MAX_PLAN_DEPTH + 1);
    refused(nested(MAX_PLAN_DEPTH + 1)).toThrow(InvalidPlanError);
  });

  it("nests callbacks as deep as containers, and counts both", () => {
    const nested = (levels: number, inner = task("leaf")): PlanNode => {
      for (let i = 0; i < levels; i++) {
        inner = i % 2 === 0 ? task("a", { callbacks: { success: [inner] } }) : chain([inner]);
      }
      return inner;
    };
    expect(expanded(nested(MAX_PLAN_DEPTH))).toHaveLength(2);
    const tooDeep = /deeper than 100/;
    refused(nested(MAX_PLAN_DEPTH + 1)).toThrow(tooDeep);
    refused(nested(100_000)).toThrow(tooDeep);
    const half = MAX_PLAN_DEPTH / 2;
    refused(swarm([task("a")], { itemCallbacks: { cleanup: [nested(MAX_PLAN_DEPTH)] } })).toThrow(tooDeep);
    refused(chain([nested(half), nested(half, nested(half))])).toThrow(tooDeep);
  });

  it("refuses callbacks whose plans are too many, however often one is used", () => {
    let plan = task("leaf");
    for (let i = 0; i < 60; i++) plan = task("a", { callbacks: { success: [plan], error: [plan] } });
    refused(plan).toThrow(/more than 10000 plans/);
  });

  it.each([[undefined], [null], [42], ["task"], [{}], [() => 1], [Promise.resolve(1)]])(
    "refuses %s for a plan",
    (wrong) => {
      refused(wrong).toThrow(InvalidPlanError);
      refused(chain([task("a"), wrong as PlanNode])).toThrow(InvalidPlanError);
      refused(swarm([wrong as PlanNode])).toThrow(InvalidPlanError);
    },
  );

  it("refuses callbacks that could not be stored when they fire", () => {
    refused(task("a", { callbacks: { success: [chain([])] } })).toThrow(InvalidPlanError);
    refused(
      chain([task("a", { callbacks: { cleanup: [swarm(times(2, task("x")), { maxTasks: 1 })] } })]),
    ).toThrow(InvalidPlanError);
    refused(swarm([task("a")], { itemCallbacks: { error: [{} as PlanNode] } })).toThrow(InvalidPlanError);
    refused(
      task("a", { callbacks: { error: [task("b", { callbacks: { success: [chain([])] } })] } }),
    ).toThrow(InvalidPlanError);
  });

  it("refuses callbacks that are too large to be kept in one row", () => {
    const large = chain(
      Array.from({ length: 2_000 }, (_, i) => task(`t${i}`, { bound: JSON.stringify("x".repeat(1_000)) })),
    );
    refused(task("a", { callbacks: { success: [large] } })).toThrow(InvalidPlanError);
  });
});
