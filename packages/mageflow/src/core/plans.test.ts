import { describe, expect, test } from "vitest";
import { InvalidPlanError } from "./errors.ts";
import { NO_CALLBACKS } from "./plan.ts";
import { chain, swarm, TaskPlan } from "./plans.ts";
import { retryPolicy } from "./retry.ts";

const task = new TaskPlan<unknown, unknown, unknown>({
  spec: {
    kind: "task",
    name: "task",
    callbacks: NO_CALLBACKS,
    priority: null,
    delay: 0,
    at: null,
    stagger: 0,
    tags: [],
    metadata: {},
    retry: retryPolicy(undefined),
    timeout: null,
    totalTimeout: null,
    maxRecoveries: 5,
  },
  bound: null,
  key: null,
});

/** The message of the InvalidPlanError that this throws. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof InvalidPlanError) return error.message;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("a message about a bad value", () => {
  test.for<[() => unknown, string]>([
    [() => chain([task, undefined as never]), 'step 1 of chain "chain" is undefined, not a plan'],
    [() => chain([{} as never]), 'step 0 of chain "chain" is an object, not a plan'],
    [() => swarm(["x" as never]), 'item 0 of swarm "swarm" is "x", not a plan'],
    [() => task.onError(null as never), 'a callback of "task" is null, not a plan'],
    [() => swarm([], { concurrency: "3" as never }), 'concurrency is "3"'],
    [() => task.options({ priority: "high" as never }), 'priority is "high"; give a whole number'],
    [() => task.options({ tags: "x" as never }), 'tags is "x"; give an array of texts'],
    [() => task.options({ tags: ["a", 3 as never] }), "a tag must be a text of 1 to 256 characters"],
    [() => task.options({ tags: ["\n"] }), String.raw`not "\n"`],
    [() => task.keyed(3n as never), "not 3n"],
  ])("quotes it: %s", ([call, message]) => {
    expect(refusal(call)).toContain(message);
  });
});

describe("what is refused", () => {
  const generator = function* (): Generator<unknown> {
    yield task;
  };

  test.for<[string, () => unknown, string]>([
    ["no steps", () => chain(null as never), 'the steps of chain "chain" are null; give an array'],
    ["a function of steps", () => chain(generator as never), "are a function"],
    ["an iterator of steps", () => chain(generator() as never), "are an object"],
    ["an input that is a number", () => task.with(5), 'with() of "task" is given 5; give an object'],
    ["an input that is a list", () => chain([task]).with([1]), "is given an array"],
    ["an input that is a text", () => swarm([task]).with("x"), 'is given "x"'],
    ["no input", () => task.with(undefined), "is given undefined"],
  ])("%s", ([, call, message]) => {
    expect(refusal(call)).toContain(message);
  });
});

describe("items that come asynchronously are refused", () => {
  test.for<[string, () => unknown]>([
    ["an async generator", async function* () {}],
    ["a promise", () => Promise.reject(new Error("not read either"))],
  ])("%s, and a function that gives it", ([, items]) => {
    for (const given of [items(), items]) {
      expect(refusal(() => [...(swarm(given as never).children ?? [])])).toContain("run.addTasks");
    }
  });
});

describe("options", () => {
  test.for<[() => unknown, string]>([
    [
      () => task.options({ prioritty: 1 } as never),
      '"task" has no option "prioritty"; it has priority, delay, at, stagger, tags, metadata',
    ],
    [() => chain([task], { steps: 1 } as never), 'a chain has no option "steps"; it has name, '],
    [
      () => swarm([], { concurency: 1 } as never),
      'a swarm has no option "concurency"; it has name, concurrency',
    ],
    [() => swarm([], { toString: 1 } as never), 'a swarm has no option "toString"'],
    [() => chain([task], null as never), "the options of a chain are null; give an object"],
    [() => swarm([], 30 as never), "the options of a swarm are 30"],
    [() => task.options([] as never), 'the options of "task" are an array'],
  ])("that nobody knows are refused by name: %s", ([call, message]) => {
    expect(refusal(call)).toContain(message);
  });

  test("have one start: an instant or a delay, the one that is given last", () => {
    expect(refusal(() => task.options({ at: 5, delay: "1s" }))).toContain("both given");
    expect(refusal(() => chain([task], { at: new Date(5), delay: 0 }))).toContain("both given");
    expect(task.options({ delay: "1s" }).options({ at: 5 }).spec).toMatchObject({ at: 5, delay: 0 });
    expect(task.options({ at: 5 }).options({ delay: "1s" }).spec).toMatchObject({ at: null, delay: 1_000 });
    expect(task.options({ at: 5 }).options({ priority: 1 }).spec).toMatchObject({ at: 5, priority: 1 });
  });

  test("are values: metadata that is changed later is not changed in the plan", () => {
    const metadata = { list: [1] };
    const plan = task.options({ metadata });
    metadata.list.push(2);
    expect(plan.spec.metadata).toEqual({ list: [1] });
  });

  test.for([null, 3, "x", [1]])("refuse metadata that is no object: %o", (metadata) => {
    expect(refusal(() => task.options({ metadata: metadata as never }))).toContain("give an object");
  });
});
