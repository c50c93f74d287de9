import { MageFlow, type SignatureView } from "mageflow";
import { expect, test } from "vitest";
import { failureLine, tellFailures } from "./failed-attempts.ts";
import { clip, quoting } from "./plain-text.ts";

test("each attempt that fails is told of, with what follows", async () => {
  await using mage = new MageFlow({ store: "memory:" });
  const retry = { attempts: 2, backoff: { type: "fixed", delay: 0 } } as const;
  const fail = mage.task("fail", { retry }, (_input, ctx) => {
    throw new RangeError(`no ${ctx.attempt}`);
  });
  await mage.worker();
  const run = await mage.run(fail);
  const lines: string[] = [];
  const { signal } = new AbortController();
  await tellFailures(run, 0, { mage, say: (line) => lines.push(line), quote: clip, signal });
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(
    new RegExp(`^fail ${run.id} attempt 1 failed, the next one now: RangeError: no \\d$`),
  );
  expect(lines[1]).toBe(`fail ${run.id} failed in attempt 2: RangeError: no 2`);
});

test("what a task throws cannot forge a line", () => {
  const error = { name: "E", message: "a\nb\u001b[2J", attempts: 1, path: [] };
  const view = { id: "1", name: "t", error, dueAt: 4_500 } as unknown as SignatureView;
  expect(failureLine(view, { attempt: 2, final: false, now: 500, quote: clip })).toBe(
    "t 1 attempt 1 failed, the next one in 4.0s: E: a\\nb\\x1b[2J",
  );
});

test("programs get what a task throws as it is", () => {
  const error = { name: "E", message: "a\nb\u001b[2J", attempts: 1, path: [] };
  const view = { id: "1", name: "t", error, dueAt: null } as unknown as SignatureView;
  const line = failureLine(view, { attempt: 2, final: true, now: 500, quote: quoting(true) });
  expect(line).toBe("t 1 failed in attempt 2: E: a\nb\u001b[2J");
});
