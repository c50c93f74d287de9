import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NO_CALLBACKS } from "../core/plan.ts";
import { storedOptions } from "../core/plan-options.ts";
import { chain, swarm, TaskPlan } from "../core/plans.ts";
import { retryPolicy } from "../core/retry.ts";
import { embeddedEngine } from "../engines/embedded/embedded-engine.ts";
import { systemClock } from "../engines/embedded/system-clock.ts";
import { ulidSource } from "../engines/embedded/ulid-source.ts";
import type { Carrier, Delivery, Engine } from "../ports/engine.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";
import { autoResume } from "./auto-resume.ts";
import { plainHandler } from "./handler.ts";
import { launch, type RunOptions } from "./launch.ts";
import type { Run } from "./run.ts";
import { Runtime } from "./runtime.ts";

const handlers = new Map([["task", plainHandler("task", () => 1)]]);
const limits = { retry: retryPolicy(undefined), timeout: null, totalTimeout: null, maxRecoveries: 5 };
const task = new TaskPlan<unknown, unknown, unknown>({
  spec: { kind: "task", name: "task", callbacks: NO_CALLBACKS, ...storedOptions({}), ...limits },
  bound: null,
  key: null,
});

/** An engine that writes down what it is told, and brings nothing. */
class Diary implements Carrier {
  readonly told: string[] = [];
  reachable = true;
  fault: string | null = null;
  fails = false;

  readonly engine: Engine = {
    name: "diary",
    capabilities: { ...embeddedEngine.capabilities, source: "deliveries" },
    carrier: this,
  };

  async publish(deliveries: readonly Delivery[]): Promise<void> {
    this.#note("+", deliveries);
  }

  async revoke(deliveries: readonly Delivery[]): Promise<void> {
    this.#note("-", deliveries);
  }

  consume(): never {
    throw new Error("nothing is consumed here");
  }

  async close(): Promise<void> {}

  #note(sign: string, deliveries: readonly Delivery[]): void {
    if (this.fails) throw new Error("the page is full");
    const rows = deliveries.map(
      ({ id, generation, epoch, delay }) =>
        `${sign}${id.slice(26)} g${generation} e${epoch}${delay > 0 ? " later" : ""}`,
    );
    this.told.push(...rows);
  }
}

describe("the dispatcher", () => {
  let diary: Diary;
  let runtime: Runtime;
  beforeEach(async () => {
    diary = new Diary();
    const store = memoryStore();
    runtime = new Runtime({
      store,
      truth: store,
      engine: diary.engine,
      clock: systemClock,
      ids: ulidSource(),
      handlers,
      isolateEntry: new URL("about:blank"),
      actor: "somebody",
      retain: () => null,
      autoResume: autoResume(),
    });
    await runtime.start();
  });
  afterEach(() => runtime.close());

  const run = (plan: Parameters<typeof launch>[1], options: RunOptions = {}): Promise<Run<unknown>> =>
    launch(runtime, plan, undefined, options, { start: true, by: null });

  test("publishes what a commit has made ready, in bulk, and nothing that waits for its turn", async () => {
    await run(chain([task, task]));
    await run(swarm([task, task, task], { concurrency: 2 }));
    expect(diary.told).toEqual(["+.0 g1 e0", "+.0 g1 e0", "+.1 g1 e0"]);
  });

  test("revokes what is suspended or interrupted before it starts, and publishes it when it goes on", async () => {
    const one = await run(task);
    await one.suspend();
    await one.resume();
    await one.interrupt();
    await one.resume();
    expect(diary.told).toEqual(["+ g1 e0", "- g1 e0", "+ g1 e0", "- g1 e0", "+ g2 e0"]);
  });

  test("publishes ahead what waits for no more than a minute", async () => {
    await run(task, { delay: "30s" });
    await run(task, { delay: "1h" });
    expect(diary.told).toEqual(["+ g1 e0 later"]);
  });

  test("drops what cannot be reached, and tells once when it fails", async () => {
    const warnings: string[] = [];
    const listen = ({ message }: Error): void => void warnings.push(message);
    process.on("warning", listen);
    diary.fails = true;
    await run(task);
    await run(task);
    diary.fails = false;
    diary.reachable = false;
    await run(task);
    diary.reachable = true;
    await run(task);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listen);
    expect(diary.told).toEqual(["+ g1 e0"]);
    expect(warnings.filter((message) => message.includes("the page is full"))).toHaveLength(1);
  });

  test("tells why it cannot be reached", async () => {
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    diary.reachable = false;
    diary.fault = "the ink has dried";
    await run(task);
    expect((await warned).message).toContain("carries nothing (the ink has dried)");
  });
});
