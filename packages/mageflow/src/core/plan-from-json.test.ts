import { expect, test } from "vitest";
import { planFromJson } from "./plan-from-json.ts";
import { NO_CALLBACKS } from "./plan.ts";
import { storedOptions } from "./plan-options.ts";
import { chain, swarm, TaskPlan } from "./plans.ts";
import { retryPolicy } from "./retry.ts";

const task = new TaskPlan<unknown, unknown, unknown>({
  spec: {
    kind: "task",
    name: "task",
    callbacks: NO_CALLBACKS,
    ...storedOptions({ priority: 3, delay: "1s", retain: { succeeded: "1h" } }),
    retry: retryPolicy({ attempts: 3 }),
    timeout: 5,
    totalTimeout: null,
    maxRecoveries: 5,
  },
  bound: '{"n":-0}',
  key: "k",
});

test("a plan that was written as JSON is the same plan again", () => {
  const items = swarm([task, task.with({ m: 1 })], {
    onItemError: task,
    concurrency: Number.POSITIVE_INFINITY,
  });
  for (const plan of [task, chain([task, items]).onSuccess(task).onCleanup(items)]) {
    const text = JSON.stringify(plan);
    const again = planFromJson(text);
    expect(again.constructor).toBe(plan.constructor);
    expect(JSON.stringify(again)).toBe(text);
    expect(JSON.stringify(again.onError(task))).toBe(JSON.stringify(plan.onError(task)));
  }
});
