import { describe, expect, test } from "vitest";
import { embeddedEngine } from "../engines/embedded/embedded-engine.ts";
import { systemClock } from "../engines/embedded/system-clock.ts";
import { ulidSource } from "../engines/embedded/ulid-source.ts";
import { plainHandler } from "./handler.ts";
import { NO_CALLBACKS, type PlanNode } from "../core/plan.ts";
import { swarm, TaskPlan } from "../core/plans.ts";
import { storedOptions } from "../core/plan-options.ts";
import { retryPolicy } from "../core/retry.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";
import { Run } from "./run.ts";
import { autoResume } from "./auto-resume.ts";
import { Runtime } from "./runtime.ts";

const handlers = new Map([["task", plainHandler("task", () => 1)]]);
const limits = { retry: retryPolicy(undefined), timeout: null, totalTimeout: null, maxRecoveries: 5 };
const task = new TaskPlan<unknown, unknown, unknown>({
  spec: { kind: "task", name: "task", callbacks: NO_CALLBACKS, ...storedOptions({}), ...limits },
  bound: null,
  key: null,
});

/** A runtime that counts those who listen to its store and to its commits. */
async function counting(): Promise<{ runtime: Runtime; listeners: () => number }> {
  const store = memoryStore();
  const runtime = new Runtime({
    store,
    engine: embeddedEngine,
    truth: store,
    clock: systemClock,
    ids: ulidSource(),
    handlers,
    isolateEntry: new URL("about:blank"),
    actor: "somebody",
    retain: () => null,
    autoResume: autoResume(),
  });
  await runtime.start();
  let listeners = 0;
  const counted =
    <L>(listen: (listener: L) => () => void) =>
    (listener: L) => {
      const leave = listen(listener);
      listeners++;
      return () => {
        leave();
        listeners--;
      };
    };
  store.watch = counted(store.watch.bind(store));
  runtime.committer.listen = counted(runtime.committer.listen.bind(runtime.committer));
  return { runtime, listeners: () => listeners };
}

async function started(runtime: Runtime, plan: PlanNode): Promise<Run> {
  const given = { message: null, start: true, key: null, tags: [], by: null };
  return new Run(runtime, await runtime.submit({ plan, ...given }));
}

describe("events", () => {
  test("listen once, however much there is to tell, and no longer than they are read", async () => {
    const { runtime, listeners } = await counting();
    const run = await started(runtime, swarm(Array.from({ length: 1_000 }, () => task)));
    const worker = await runtime.worker({});
    await run.settled();
    await worker.stop();
    const before = listeners();
    const events = run.events({ since: 0 });
    for (let seen = 0; seen < 2_000; seen++) await events.next();
    expect(listeners()).toBe(before + 2);
    await events.return(undefined);
    expect(listeners()).toBe(before);
    for await (const { seq } of run.events({ since: 0 })) if (seq > 1_500) break;
    expect(listeners()).toBe(before);
    for await (const { seq } of run.events({ since: 1_500 })) expect(seq).toBeGreaterThan(1_500);
    expect(listeners()).toBe(before);
    await runtime.close();
  });
});
