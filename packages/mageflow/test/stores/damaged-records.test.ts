import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Breach, chain, MageFlow } from "mageflow";

let folder: string;
let mage: MageFlow;
let echo: ReturnType<typeof register>;
/** A task, a chain of two and another task, which all wait for a worker. */
let ids: { first: string; chain: string; last: string };

function opened(): void {
  mage = new MageFlow({ store: `sqlite:${join(folder, "store.db")}` });
  echo = register();
}

function register() {
  return mage.task("echo", ({ n }: { n: number }) => ({ n }));
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mageflow-"));
  opened();
  ids = {
    first: (await mage.run(echo, { n: 1 })).id,
    chain: (await mage.run(chain([echo, echo]), { n: 2 })).id,
    last: (await mage.run(echo, { n: 3 })).id,
  };
  await mage.close();
});

afterEach(async () => {
  await mage.close();
  rmSync(folder, { recursive: true });
});

/** What somebody may do to the file beside MageFlow; `?1` is the first task, `?2` the chain. */
function edit(sql: string): void {
  const db = new DatabaseSync(join(folder, "store.db"));
  db.prepare(`${sql} RETURNING ?1, ?2`).all(ids.first, ids.chain);
  db.close();
}

describe.each([
  ["its spec is gone", "DELETE FROM specs WHERE root_id = ?1", "first", "", /its spec/],
  ["its spec is junk", "UPDATE specs SET body = '{' WHERE root_id = ?1", "first", "", /its spec/],
  ["its status is junk", "UPDATE signatures SET status = 'WEIRD' WHERE id = ?1", "first", "", /its status/],
  ["its error is junk", "UPDATE signatures SET error = '{' WHERE id = ?1", "first", "", /its column error/],
  ["its chain is junk", "UPDATE signatures SET family = '{' WHERE id = ?2", "chain", "", /its column family/],
  ["its chain is gone", "DELETE FROM signatures WHERE id = ?2", "chain", ".0", /orphan/],
] as const)("a signature waits and %s", (_, sql, at, below, says) => {
  beforeEach(() => {
    edit(sql);
    opened();
  });

  test("what else is there, and what comes, is run", async () => {
    await using worker = await mage.worker({ concurrency: 1 });
    expect(await (await mage.get(ids.last)).result({ timeout: "30s" })).toEqual({ n: 3 });
    expect(await (await mage.run(echo, { n: 4 })).result({ timeout: "30s" })).toEqual({ n: 4 });
    const delayed = await mage.run(echo, { n: 5 }, { delay: 10 });
    expect(await delayed.result({ timeout: "30s" })).toEqual({ n: 5 });
    await worker.stop();
  });

  test("verify names it, and looks at the rest", async () => {
    const breaches: Breach[] = [];
    let signatures = 0;
    const onProgress = (audited: { signatures: number }): void => void ({ signatures } = audited);
    for await (const breach of mage.verify({ onProgress })) breaches.push(breach);
    const named = breaches.filter(({ id }) => id === ids[at] + below);
    expect(named.map(({ message }) => message).join("; ")).toMatch(says);
    expect(named.map(({ severity }) => severity)).not.toContain("warning");
    expect(signatures).toBeGreaterThanOrEqual(4);
  });
});

test("who asks for what cannot be read is told so", async () => {
  edit("UPDATE signatures SET status = 'WEIRD' WHERE id = ?1");
  opened();
  const unreadable = { code: "STORE_CORRUPT", message: expect.stringMatching(/"WEIRD".*mageflow verify/) };
  await expect(mage.get(ids.first)).rejects.toMatchObject(unreadable);
  const listed = await mage.list();
  expect(listed.items.map(({ id }) => id).toSorted()).toEqual([ids.chain, ids.last].toSorted());
});

test("what is due and damaged does not keep the process busy", async () => {
  edit("UPDATE signatures SET status = 'WAITING', ready_at = NULL, due_at = 1, error = '{' WHERE id = ?1");
  opened();
  await using worker = await mage.worker();
  expect(await (await mage.get(ids.last)).result({ timeout: "30s" })).toEqual({ n: 3 });
  const delayed = await mage.run(echo, { n: 4 }, { delay: 300 });
  const before = (await mage.metrics()).commits;
  expect(await delayed.result({ timeout: "30s" })).toEqual({ n: 4 });
  expect((await mage.metrics()).commits - before).toBeLessThan(50);
  await worker.stop();
});
