import { readFileSync, writeFileSync } from "node:fs";
import { Client } from "pg";
import { childId } from "../packages/mageflow/src/core/ids.ts";
import type { Store, Transaction } from "../packages/mageflow/src/ports/store.ts";
import { postgresStore } from "../packages/mageflow/src/stores/postgres/index.ts";
import { sampleEntry } from "../packages/mageflow/src/testing/store-suite/sample-entry.ts";
import { sampleSwarm, sampleItems } from "../packages/mageflow/src/testing/store-suite/sample-record.ts";
import { DatabaseServer } from "./chaos/database-server.ts";
import { fill, SWARM, WORKER } from "./plans/crowd.ts";
import { type Explained, explaining, listen, taken } from "./plans/explained.ts";
import { readArguments } from "./read-arguments.ts";

/**
 * Fills a PostgreSQL server of its own with a large swarm, does what a busy worker and those who look at it do, and tells how the server
 * carried it out: every statement with its plan, and the indexes. With `--write` this becomes a part of `docs/scale.md`.
 *
 *     npm run plans -- [--items 100000] [--write]
 */
const { values } = readArguments("usage: npm run plans -- [--items 100000] [--write]", {
  options: { items: { type: "string", default: "100000" }, write: { type: "boolean", default: false } },
});
const items = Number(values.items);
if (!Number.isInteger(items) || items < 20_000) {
  process.stderr.write(`--items is ${values.items}; give a whole number from 20000\n`);
  process.exit(2);
}

const server = await DatabaseServer.start("postgres");
const url = `${server.url}?schema=plans`;
listen();
const filling = postgresStore(url);
await filling.open();
await fill(filling, items);
await filling.close();
const client = new Client({ connectionString: server.url });
await client.connect();
await client.query("SET search_path TO plans");
await client.query("VACUUM (ANALYZE) signatures");

const store = postgresStore(explaining(url));
await store.open();
taken();
const half = items >> 1;
const running = Array.from({ length: 500 }, (_, n) => childId(SWARM, half + 1_000 + n));

/** What is done, in words, and how. */
const HOT: readonly (readonly [what: string, does: (store: Store) => Promise<unknown>])[] = [
  ["500 tasks end, their swarm is credited, and the next 500 start", () => store.transact(turn)],
  ["a worker takes ready tasks", () => ask((tx) => tx.ready(demand(100)))],
  ["what is due is taken", () => ask((tx) => tx.due(500))],
  [
    "2,000 items are stored",
    () => store.transact((tx) => tx.write({ insert: sampleItems(sampleSwarm("new"), 2_000) })),
  ],
  ["a worker's tasks are taken over", () => ask((tx) => tx.heldByWorker(WORKER, 500))],
  ["sessions whose lease has lapsed", () => ask((tx) => tx.lapsed(100))],
  ["a heartbeat", () => store.heartbeat(WORKER, 60_000)],
  [
    "children that a parent has not been credited with, and such parents",
    async () => {
      await ask((tx) => tx.owing(SWARM, 500));
      await ask((tx) => tx.owed(500));
    },
  ],
  ["sweeps to go on with", () => ask((tx) => tx.sweeping(100))],
  ["children to skip", () => ask((tx) => tx.window({ id: SWARM, what: "skip", limit: 500 }))],
  [
    "what a suspended signature holds",
    () => ask((tx) => tx.window({ id: SWARM, what: "unhold", limit: 500 })),
  ],
  [
    "the reconciler looks for what waits for nothing",
    async () => {
      await store.strays(500);
      await store.stalled(500);
      await store.holders({ after: null, limit: 500 });
      await store.unsettled({ after: null, limit: 500 });
    },
  ],
  ["what a signature waits for", () => store.awaited([SWARM])],
  ["the next instant at which something is due", () => store.nextDue()],
  ["names of ready tasks", () => store.readyNames()],
  ["one signature", () => store.get([SWARM])],
  ["a page of children", () => store.children({ parentId: SWARM, of: "children", after: half, limit: 100 })],
  ["how many children are running", () => store.tally(SWARM, ["RUNNING", "READY"])],
  ["the newest roots", () => store.list({ roots: true, after: null, limit: 50 })],
  ["the newest of everything", () => store.list({ roots: false, after: null, limit: 50 })],
  ["the newest that wait", () => store.list({ roots: false, statuses: ["WAITING"], after: null, limit: 50 })],
  [
    "what runs in a workflow",
    (store) => store.list({ roots: false, rootId: SWARM, statuses: ["RUNNING"], after: null, limit: 50 }),
  ],
  ["a page of the journal", () => store.journal({ rootId: SWARM, after: 0, limit: 100 })],
];

const sections: string[] = [];
for (const [what, does] of HOT) {
  await does(store);
  const found = distinct(taken());
  sections.push([`### ${what[0]!.toUpperCase()}${what.slice(1)}`, ...found.map(block)].join("\n\n"));
}
await store.close();
const indexes = await client.query<{ indexdef: string; size: string }>(
  `SELECT regexp_replace(indexdef, ' (ON|USING) (plans\\.)?', ' \\1 ') AS indexdef, pg_size_pretty(pg_relation_size(indexrelid)) AS size
   FROM pg_stat_user_indexes JOIN pg_indexes ON indexname = indexrelname AND pg_indexes.schemaname = 'plans'
   WHERE relname = 'signatures' ORDER BY indexname`,
);
const { rows } = await client.query<{ server_version: string }>("SHOW server_version");
await client.end();
await server.stop();

const text = [
  `Made by \`npm run plans -- --items ${items} --write\`, on PostgreSQL ${rows[0]!.server_version} as it is set up by \`initdb\`.`,
  "## Indexes of signatures",
  [
    "| index | size |",
    "| --- | --- |",
    ...indexes.rows.map(({ indexdef, size }) => `| \`${cell(indexdef)}\` | ${size} |`),
  ].join("\n"),
  "## Plans",
  ...sections,
].join("\n\n");
if (values.write) {
  const path = new URL("../docs/scale.md", import.meta.url);
  const [head, , tail] = readFileSync(path, "utf8").split(/(?<=<!-- plans -->\n)|(?=<!-- end of plans -->)/);
  writeFileSync(path, `${head}\n${text}\n\n${tail ?? "<!-- end of plans -->\n"}`);
} else {
  process.stdout.write(`${text}\n`);
}

/** A busy worker's transaction. */
async function turn(tx: Transaction): Promise<void> {
  const { records } = await tx.lock(running, { wait: true });
  const { records: swarms } = await tx.lock([SWARM], { wait: false });
  const next = await tx.window({ id: SWARM, what: "start", limit: 500 });
  const { now } = tx;
  const ended = { status: "SUCCEEDED", workerId: null, milestone: 3, credited: 3, finishedAt: now } as const;
  const started = {
    status: "RUNNING",
    workerId: WORKER,
    attempt: 1,
    epoch: 1,
    startedAt: now,
    readyAt: now,
  } as const;
  await tx.write({
    update: [
      ...records.map((record) => ({ ...record, ...ended, result: String(record.slot) })),
      ...swarms.map((swarm) => ({ ...swarm, family: { ...swarm.family!, succeeded: 500 } })),
      ...next.map((record) => ({ ...record, ...started })),
    ],
    journal: new Map([[SWARM, [sampleEntry(SWARM)]]]),
  });
}

function ask<T>(question: (tx: Transaction) => Promise<T>): Promise<T> {
  return store.transact(question);
}

function demand(slots: number) {
  return { workerId: WORKER, slots, tasks: new Map([[`task of ${SWARM}`, slots]]) };
}

/** Each statement once, those of the doorbell left out. */
function distinct(all: readonly Explained[]): Explained[] {
  const quiet = all.filter(
    ({ text: sql }) => !/pg_notify|last_value|nextval\('commits'\)$|set_config/.test(sql),
  );
  return [...new Map(quiet.map((one) => [one.text, one])).values()];
}

function block({ text: sql, plan }: Explained): string {
  return ["```sql", folded(sql), "```", "", "```", plan, "```"].join("\n");
}

/** Lists of all columns say nothing here. */
function folded(sql: string): string {
  return sql.replaceAll(/id, root_id, parent_id, role, slot, key, kind, [a-z_, ]*finished_at/g, "…");
}

function cell(definition: string): string {
  return definition.replaceAll("plans.", "").replaceAll("::text", "").replaceAll("|", "\\|");
}
