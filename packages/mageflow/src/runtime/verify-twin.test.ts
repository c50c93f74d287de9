import { describe, expect, test } from "vitest";
import type { SignatureRecord } from "../core/record.ts";
import type { Store } from "../ports/store.ts";
import type { Run } from "./run.ts";
import { audit, damage, scene } from "./verify.test-support.ts";

/** A task with a cleanup of its plan that has registered one more, and has ended or goes on as long as the test. */
async function holding(ends: boolean): Promise<{ store: Store; run: Run }> {
  const { store, mage, good } = scene();
  const held = Promise.withResolvers<void>();
  const task = mage.task("task", async (_input: unknown, ctx) => {
    await ctx.resource("tmp", { path: "a" }, good);
    held.resolve();
    if (!ends) await new Promise<never>(() => {});
  });
  await mage.worker({ grace: 0 });
  const run = await mage.run(task.onCleanup(good));
  await held.promise;
  if (ends) await run.settled();
  return { store, run };
}

describe("what a task registers to release what it holds", () => {
  test.each([true, false])("is sound, whether the task has ended or not: %s", async (ends) => {
    const { store } = await holding(ends);
    expect((await audit(store)).breaches).toEqual([]);
  });

  const DAMAGES: readonly {
    what: string;
    ends: boolean;
    at: string;
    change: (record: SignatureRecord) => Partial<SignatureRecord>;
    says: [string, RegExp];
  }[] = [
    {
      what: "one that was started while the task runs",
      ends: false,
      at: ".cleanup1",
      change: ({ createdAt }) => ({ status: "READY", readyAt: createdAt }),
      says: ["I4", /a cleanup callback of ".+", which has not ended/],
    },
    {
      what: "one that nobody has registered",
      ends: true,
      at: ".cleanup1",
      change: () => ({ message: null }),
      says: ["I4", /its owner declares 1 cleanups, and did not register it/],
    },
    {
      what: "one of the plan that was given something",
      ends: true,
      at: ".cleanup0",
      change: () => ({ message: "{}" }),
      says: ["RECORD", /its plan declares it, but it was given something/],
    },
    {
      what: "one that was not counted",
      ends: false,
      at: "",
      change: ({ family }) => ({ family: { ...family!, cleanups: 0 } }),
      says: ["I4", /"cleanups" is 0, but 1 are stored/],
    },
    {
      what: "one that was run before its turn",
      ends: true,
      at: "",
      change: ({ family }) => ({ family: { ...family!, cleanupsEnded: 0 } }),
      says: ["I4", /started before the cleanup before it had ended/],
    },
  ];

  test.each(DAMAGES)("is looked at: $what", async ({ ends, at, change, says: [invariant, message] }) => {
    const { store, run } = await holding(ends);
    await damage(store, `${run.id}${at}`, change);
    const { breaches } = await audit(store);
    expect(breaches).toContainEqual(
      expect.objectContaining({ invariant, severity: "breach", message: expect.stringMatching(message) }),
    );
  });
});
