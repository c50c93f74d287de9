import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fill, RUNNING, SWARM } from "../../../../scripts/plans/crowd.ts";
import { explaining, listen, taken } from "../../../../scripts/plans/explained.ts";
import { needs } from "../../../../scripts/servers/find-server.ts";
import type { Store } from "../../src/ports/store.ts";
import { postgresStore } from "../../src/stores/postgres/index.ts";
import { LONG_AGO, sampleItems, sampleSwarm } from "../../src/testing/store-suite/sample-record.ts";
import { dropSchema, findServer, freshSchema } from "./postgres-server.ts";

const server = await findServer();
const ITEMS = 8_000;
const PAGE = 20;

/** A table that has just been filled, of which the planner knows nothing: half a swarm has ended, a thousand items are to come, and a draft is newer than all. */
describe("however many there are", needs(server), () => {
  const { url, schema } = freshSchema(server);
  const store = postgresStore(explaining(url));

  beforeAll(async () => {
    listen();
    await store.open();
    await fill(store, ITEMS);
    const draft = sampleSwarm("draft", { createdAt: LONG_AGO + 1 });
    await store.transact((tx) =>
      tx.write({ insert: sampleItems(draft, ITEMS), drafts: [{ begin: draft.id }] }),
    );
  });

  afterAll(async () => {
    await store.close();
    await dropSchema(server, schema);
  });

  test.for<[string, number, (store: Store) => Promise<unknown[]>]>([
    // What runs under workers stands in no order of slots: it is looked through.
    ["the first page of children", RUNNING, (at) => at.children(childrenAfter(null))],
    ["a page of children in the middle", RUNNING, (at) => at.children(childrenAfter(ITEMS / 2))],
    ["the last page of children", RUNNING, (at) => at.children(childrenAfter(ITEMS - PAGE - 1))],
    ["the newest of everything", 0, (at) => at.list({ roots: false, after: null, limit: PAGE })],
  ])("%s is read by no more rows than it has, and a few", async ([, besides, page]) => {
    taken();
    expect(await page(store)).toHaveLength(PAGE);
    const plans = taken();
    expect(plans.length).toBeGreaterThan(0);
    expect(Math.max(...plans.flatMap(({ plan }) => rowsOf(plan)))).toBeLessThan(2 * PAGE + besides);
  });
});

/**
 * When the planner believes that nothing has a status yet, the index of all that have it looks as good as the one of children. Here it would
 * be the best that is left.
 */
test("children of one status cannot be looked for among all that have it", needs(server), async () => {
  const { url, schema } = freshSchema(server);
  const store = postgresStore(explaining(url));
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    listen();
    await store.open();
    await fill(store, ITEMS);
    await client.query(`DROP INDEX ${schema}.children`);
    taken();
    const whats = ["start", "skip", "interrupt", "cancel", "reset"] as const;
    await store.transact(async (tx) => {
      await tx.awaited([SWARM]);
      for (const what of whats) await tx.window({ id: SWARM, what, limit: PAGE });
    });
    const plans = taken().map(({ plan }) => plan);
    expect(plans.length).toBeGreaterThan(whats.length);
    expect(plans.filter((plan) => /using newest_notable/.test(plan))).toEqual([]);
  } finally {
    await client.end();
    await store.close();
    await dropSchema(server, schema);
  }
});

function childrenAfter(after: number | null) {
  return { parentId: SWARM, of: "children", after, limit: PAGE } as const;
}

/** What each step of a plan gave, and what it read for nothing. */
function rowsOf(plan: string): number[] {
  return [...plan.matchAll(/(?:actual rows=|Rows Removed by [A-Za-z ]*: )(\d+)/g)].map(([, rows]) =>
    Number(rows),
  );
}
