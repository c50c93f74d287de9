import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MageFlow } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "mageflow-audit-"));
const whole = join(folder, "whole.db");

beforeAll(async () => {
  await using mage = new MageFlow({ store: whole, actor: "ada" });
  const run = await mage.create(mage.task("task", () => 1));
  await run.delete({ after: "1h", reason: "a mistake" });
  await run.restore();
  await run.suspend();
  await run.resume();
});

afterAll(() => rmSync(folder, { recursive: true }));

async function verifyAfter(change: string): Promise<{ trail: unknown; breaches: unknown[] }> {
  const path = join(folder, "changed.db");
  copyFileSync(whole, path);
  const db = new DatabaseSync(path);
  db.exec(change);
  db.close();
  await using mage = new MageFlow({ store: path });
  const breaches: string[] = [];
  for await (const { invariant, message } of mage.verify()) breaches.push(`${invariant}: ${message}`);
  return { trail: await mage.audit.verify(), breaches };
}

test.each([
  ["UPDATE audit SET reason = 'none' WHERE seq = 1", 1],
  ["UPDATE audit SET reason = NULL WHERE seq = 1", 1],
  ["UPDATE audit SET actor = 'bob' WHERE seq = 2", 2],
  ["UPDATE audit SET action = 'rerun' WHERE seq = 3", 3],
  ["UPDATE audit SET target = 'another' WHERE seq = 4", 4],
  ["UPDATE audit SET at = at + 1 WHERE seq = 4", 4],
  [`UPDATE audit SET details = '{"a":1}' WHERE seq = 2`, 2],
  ["UPDATE audit SET details = 'no JSON' WHERE seq = 2", 2],
  ["UPDATE audit SET hash = 'none' WHERE seq = 4", 4],
  ["DELETE FROM audit WHERE seq = 1", 1],
  ["DELETE FROM audit WHERE seq = 2", 2],
  ["UPDATE audit SET seq = 9 WHERE seq = 4", 4],
])("verify finds the row of: %s", async (change, brokenAt) => {
  const breaches = [`AUDIT: the audit trail is not as it was written from row ${brokenAt} on`];
  expect(await verifyAfter(change)).toEqual({ trail: { ok: false, brokenAt }, breaches });
});

test("verify cannot know of rows that were taken off the end", async () => {
  expect(await verifyAfter("DELETE FROM audit WHERE seq > 2")).toEqual({
    trail: { ok: true },
    breaches: [],
  });
});
