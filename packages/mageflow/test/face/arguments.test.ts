import { expect, test } from "vitest";
import { MageFlowError } from "../../src/index.ts";
import { onEachStore } from "./on-each-store.ts";

async function isRefused(call: () => Promise<unknown>): Promise<boolean> {
  const error: unknown = await call().catch((thrown: unknown) => thrown);
  return error instanceof MageFlowError && error.code === "INVALID_ARGUMENT";
}

onEachStore("an argument that cannot be meant", (open) => {
  test("is refused by every verb, and changes nothing", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    const plan = await run.planCancel();
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      "an option that interrupt has not": () => run.interrupt({ graec: "1s" } as never),
      "a text for options": () => run.interrupt("maintenance" as never),
      "null for options": () => run.interrupt(null as never),
      "a delete without options": () => run.delete(undefined as never),
      "an option that delete has not": () => run.delete({ after: "1h", keep: true } as never),
      "an option that extend has not": () => run.extend({ after: "1h", reason: "x" } as never),
      "an option that purgeNow has not": () => run.purgeNow({ after: "1h" } as never),
      "a lock that would outlive its process": () => run.lock({ for: "25h" }),
      "an option that lock has not": () => run.lock({ until: 5 } as never),
      "an option that a confirmation has not": () => plan.confirm({ grase: "1s" } as never),
      "null for a confirmation": () => plan.confirm(null as never),
      "an option that result has not": () => run.result({ since: 5 } as never),
      "a negative time to wait": () => run.result({ timeout: -1 }),
      "a grace that is no time": () => run.interrupt({ grace: "soon" as never }),
      "a number for the options of settled": () => run.settled(5 as never),
      "null for the options of events": () => run.events(null as never).next(),
      "an option that events have not": () => run.events({ after: 5 } as never).next(),
      "null for a page of children": () => run.children(null as never),
      "an option that a page of children has not": () => run.children({ name: "a" } as never),
      "a status that there is not": () => run.children({ status: "GONE" as never }),
      "null for a page of callbacks": () => run.callbacks(null as never),
      "a limit of what is cancelled": () => mage.planCancel({ limit: 5 } as never),
      "a cancellation of nothing in particular": () => mage.planCancel(undefined as never),
      "an option that reports have not": () => mage.resumeReports({ newest: 5 } as never),
      "a batch without a function": () => mage.batch(undefined as never),
      "an edit of nothing": () => mage.batch((edits) => edits.set(undefined as never, {})),
    };
    const accepted: string[] = [];
    for (const [what, call] of Object.entries(calls)) if (!(await isRefused(call))) accepted.push(what);
    expect(accepted).toEqual([]);
    expect(await run.status()).toMatchObject({ status: "PENDING", deletion: null });
    expect(await mage.audit.list()).toEqual([]);
  });

  test("a reason is a text that every store gives back, so that the audit trail stays sound", async () => {
    const mage = open();
    const run = await mage.create(mage.task("task", () => 1));
    const accepted: unknown[] = [];
    for (const reason of [5, true, {}, null, "\ud800", "a\0b", "x".repeat(1_025)] as string[]) {
      const calls = [
        () => run.interrupt({ reason }),
        () => run.delete({ after: "1h", reason }),
        () => run.purgeNow({ reason }),
        async () => (await run.planCancel()).confirm({ reason }),
      ];
      for (const call of calls) if (!(await isRefused(call))) accepted.push([reason, String(call)]);
    }
    expect(accepted).toEqual([]);
    await run.interrupt({ reason: "it smokes\nin the cellar 🔥" });
    await run.delete({ after: "1h", reason: "" });
    const rows = await mage.audit.list();
    expect(rows.map(({ reason }) => reason)).toEqual(["it smokes\nin the cellar 🔥", ""]);
    expect(await mage.audit.verify()).toEqual({ ok: true });
  });

  test("an actor is a name", () => {
    for (const actor of [5, "", "\ud800", "a\nb"] as string[]) {
      expect(() => open({ actor })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
  });
});
