import { beforeAll, expect, test, vi } from "vitest";
import type { SignatureRecord } from "../../core/record.ts";
import type { ChildQuery, ListQuery, LogQuery, Store, Transaction } from "../../ports/store.ts";
import { fullRecord, sampleItems, sampleSwarm, sampleTask } from "../../testing/store-suite/sample-record.ts";
import { sampleLog } from "../../testing/store-suite/sample-log.ts";
import { sampleReport } from "../../testing/store-suite/sample-report.ts";
import { sampleWorker } from "../../testing/store-suite/sample-worker.ts";
import { Connection } from "./connection.ts";
import { sqliteStore } from "./index.ts";
import { migrate } from "./migrate.ts";

/**
 * The plan of every statement that the store prepares while all of its methods are called: none looks at more rows than
 * it answers with, but for the filters of a list.
 */

/** Texts of what was run. */
let statements: string[];

beforeAll(async () => {
  const spies = (["all", "get", "run"] as const).map((method) => vi.spyOn(Connection.prototype, method));
  const store = sqliteStore(":memory:");
  await store.open();
  await callEverything(store);
  const run = spies.flatMap(({ mock }) => mock.calls.map(([sql]) => sql.replaceAll(/\s+/g, " ")));
  statements = [...new Set(run)].filter((sql) => /^(SELECT|WITH|INSERT|UPDATE|DELETE)/.test(sql));
  vi.restoreAllMocks();
});

/** Reading an index in its order, to be stopped by a limit; lists of parameters; what was found by the statement itself. */
const HARMLESS = [
  /^SCAN signatures USING (COVERING )?INDEX (newest|newest_marked|sweeping|owing|running|stalled)$/,
  /^SCAN workers USING INDEX workers_by_age$/,
  // By its primary key, which is the table; by the starts among them.
  /^SCAN reports( USING COVERING INDEX starts)?$/,
  // By its number, which is the table, from the last one on.
  /^SCAN audit$/,
  /^SCAN (json_each VIRTUAL TABLE|\d+-ROW VALUES CLAUSE|given|CONSTANT ROW|names|turns|holders|firsts|\(subquery)/,
];

/** What is in the statements of an audit only, which look at all that there is. */
const AUDITS = [
  "NOT json_valid(",
  "CROSS JOIN signatures ON",
  "FROM tombstones CROSS",
  "AS born",
  "json_each(tags)",
  "FROM journal)",
  "IS NOT count",
];

/** There is hardly ever a draft, and the schema is read once, at open. */
function isHarmless(sql: string, step: string): boolean {
  return (
    sql.includes("FROM drafts WHERE begun_at") ||
    // What is under way in a workflow is put in order when it has been found: it is bounded by windows and workers.
    (/(INDEX ready|B-TREE FOR ORDER BY)$/.test(step) && sql.includes("ORDER BY +created_at")) ||
    AUDITS.some((sign) => sql.includes(sign)) ||
    [...HARMLESS, /^SCAN (drafts|sqlite_master)$/].some((known) => known.test(step))
  );
}

test("no statement scans a table or sorts", () => {
  expect(statements.length).toBeGreaterThan(60);
  const harmful = statements.flatMap((sql) =>
    planOf(sql)
      .filter((step) => (step.startsWith("SCAN") || step.includes("B-TREE")) && !isHarmless(sql, step))
      .map((step) => [sql, step]),
  );
  expect(harmful).toEqual([]);
});

test.for([
  ["what has failed in a workflow", "root_id = ?1 AND notable_status = ?2", "newest_notable_inside"],
  ["what a worker holds in a workflow", "worker_id IS NOT NULL AND parent_id >= ?1", "running"],
  ["containers that run in a workflow", "milestone = 2) AND id >= ?1", "unsettled"],
  ["what nobody holds and runs in a workflow", "deletion IS NULL)) AND id >= ?1", "stalled"],
  ["the next items to start", "child_status = 'STARTABLE' ORDER BY", "children"],
  ["ready tasks", "status = 'READY' AND name = ? ORDER BY", "ready"],
  ["what is due", "due_at <= ?", "due"],
  ["what is late", "deadline_at <= ?", "deadlines"],
  ["children that run", "worker_id IS NOT NULL AND slot > ?", "running"],
  ["what a container holds", "held_by = ?", "held"],
  ["what waits for what is inside it", "milestone = 2) AND id > ? ORDER BY", "unsettled"],
  ["what waits below", "milestone = 2) AND id > ?1 || '.'", "unsettled"],
  ["uncredited children", "parent_id = ? AND credited < milestone", "owing"],
  ["children of a status", "child_turn = ? AND slot > ?", "children"],
  ["how many children have a status", "count(*) FROM signatures WHERE parent_id = ?", "children"],
  ["roots of a status", "role = 'root' AND status = ?1 ORDER BY", "newest_roots_by_status"],
  ["what is marked for deletion", "WHERE purge_at IS NOT NULL AND (created_at", "newest_marked"],
  ["roots that are marked", "role = 'root' AND purge_at IS NOT NULL AND (created_at", "newest_marked"],
  ["marked ones of a status", "AND (created_at, id) < (?1, ?2) AND +status IN", "newest_marked"],
  ["what is stopping in a workflow", "stop ->> '$.done' = 0", "stopping"],
  ["what one instant added to a workflow", "WHERE created_at = ?1 AND id >= ?2", "newest"],
] as const)("%s are found by an index", ([, part, index]) => {
  const sql = statements.find((text) => text.includes(part));
  expect(planOf(sql!)[0]).toMatch(new RegExp(`^SEARCH signatures USING (COVERING )?INDEX ${index} \\(`));
});

test("the first children of each status and turn are jumped to", () => {
  const sql = statements.find((text) => text.includes("RECURSIVE firsts"))!;
  const jumps = planOf(sql).filter((step) => step.includes("INDEX children"));
  expect(jumps.map((step) => step.replace(/^.* \(/, "("))).toEqual([
    "(parent_id=? AND child_status>?)",
    "(parent_id=? AND child_status=? AND child_turn>?)",
    "(parent_id=? AND child_status>?)",
  ]);
});

function planOf(sql: string): string[] {
  const db = new Connection(null, { readOnly: false });
  migrate(db, null);
  return db.all<[number, number, number, string]>(`EXPLAIN QUERY PLAN ${sql}`).map(([, , , step]) => step);
}

async function callEverything(store: Store): Promise<void> {
  const root = sampleSwarm("r", { tags: ["x"] });
  await store.transact((tx) =>
    tx.write({
      drafts: [{ begin: root.id }],
      insert: [...sampleItems(root, 40), ...Array.from({ length: 20 }, (_, n) => fullRecord(`f${n}`))].map(
        (record, n) => (record.rootId === "r" ? record : { ...record, key: `${n}` }),
      ),
      specs: [{ rootId: "r", id: "0", body: "{}" }],
      journal: new Map([["r", [{ id: "r", type: "created", status: "RUNNING", generation: 1, attempt: 0 }]]]),
      logs: [sampleLog("r", "line")],
      steps: [{ id: "r", generation: 1, name: "fetch", result: "1" }],
      checkpoints: [{ id: "r", generation: 1, body: "1" }],
      progress: [{ id: "r", generation: 1, progress: { fraction: 1, note: null } }],
      workers: [sampleWorker("w")],
      reports: [sampleReport("x")],
      stamp: { by: "me", n: 1 },
    }),
  );
  await readEverything(store);
  await store.transact((tx) => tx.write({ insert: [root], drafts: [{ add: "r" }, { finish: "r" }] }));
  await readEverything(store);
  await store.transact(askEverything);
  await store.heartbeat("w", 1);
  const other = sampleTask("d.1", { rootId: "d" });
  await store.transact((tx) => tx.write({ drafts: [{ begin: "d" }], insert: [other] }));
  await store.transact((tx) => tx.discard("d", 10));
}

async function readEverything(store: Store): Promise<void> {
  const page = { after: null, limit: 3 };
  await store.get(["r"]);
  await store.byKey("k");
  await store.specs([{ rootId: "r", id: "0" }]);
  const children: Partial<ChildQuery>[] = [{}, { statuses: ["READY"] }, { after: "1" }];
  for (const query of children) {
    await store.children({ parentId: "r", of: "children", ...page, ...query });
    await store.children({ parentId: "r", of: "callbacks", ...page, ...query });
  }
  await store.tally("r", ["READY", "PENDING"]);
  await store.scan(page);
  await store.journal({ rootId: "r", after: 0, limit: 3 });
  const logs: Partial<LogQuery>[] = [{}, { id: "r" }, { rootId: "r" }, { id: "r", rootId: "r" }];
  for (const query of logs) {
    await store.logs({ after: 0, limit: 3, ...query });
    await store.logs({ after: 0, limit: 3, level: "info", contains: "x", ...query });
  }
  await store.notes("r", 1);
  await store.stamped("me");
  await store.readyNames();
  await store.nextDue();
  await store.strays(3);
  await store.stalled(3);
  await store.holders(page);
  await store.stops(3);
  await store.logCount("r", 3);
  await store.lastSeq("r");
  await store.tombstone("r");
  await store.unsettled(page);
  await store.awaited(["r"]);
  await store.damage(3);
  await store.workers(3);
  for (const order of ["oldest", "newest"] as const) await store.audit({ order, after: null, limit: 3 });
  await store.reports(page);
  await store.reports({ after: "x", limit: 3 });
  const lists: Partial<ListQuery>[] = [
    {},
    { statuses: ["FAILED"] },
    { statuses: ["FAILED", "RUNNING"] },
    { kinds: ["task"], names: ["x"], roles: ["item"] },
    { tag: "x" },
    { tag: "x", statuses: ["FAILED"] },
    { marked: true },
    { marked: true, statuses: ["FAILED"] },
    { marked: false },
    { marked: true, tag: "x" },
    { marked: true, rootId: "r" },
    { rootId: "r" },
    { rootId: "r", statuses: ["FAILED"], tag: "x" },
    { rootId: "r", statuses: ["READY", "RUNNING", "FAILED"] },
    { rootId: "r", statuses: ["PENDING"] },
  ];
  for (const query of lists) {
    for (const roots of [true, false]) {
      await store.list({ ...page, ...query, roots });
      await store.list({ ...page, ...query, roots, after: { createdAt: 1, id: "x" } });
    }
  }
}

async function askEverything(tx: Transaction): Promise<void> {
  const { records } = await tx.lock(["r"], { wait: true });
  await tx.read(["none"]);
  await tx.specs([{ rootId: "r", id: "0" }]);
  await tx.byKey("k");
  await tx.itemsByKey("r", ["k"]);
  await tx.window({ id: "r", what: "skip", limit: 3 });
  await tx.window({ id: "r", what: "unhold", limit: 3 });
  await tx.window({ id: "r", what: "hasten", until: 1, limit: 3 });
  const items = await tx.window({ id: "r", what: "start", limit: 30 });
  await tx.ready({ workerId: "w", slots: 3, tasks: new Map([["a", 1]]) });
  const update = items.map((item, n): SignatureRecord => ({ ...item, status: "READY", readyAt: n }));
  await tx.write({ update: [...update, { ...records[0]!, tags: ["y"] }] });
  const alike = update.map((item): SignatureRecord => ({ ...item, status: "RUNNING", workerId: "w" }));
  await tx.ready({
    workerId: "w",
    slots: 3,
    tasks: new Map([
      ["a", 1],
      [items[0]!.name, 2],
    ]),
  });
  await tx.write({ update: alike });
  await tx.due(3);
  await tx.lapsed(3);
  await tx.lastStart();
  await tx.heldByWorker("w", 3);
  await tx.owing("r", 3);
  await tx.owed(3);
  await tx.sweeping(3);
  await tx.awaited(["r"]);
  await tx.tally("r", ["READY", "PENDING"]);
  await tx.abandoned(1, 3);
  await tx.underWayIn("r", 1);
  await tx.purgeable(3);
  await tx.lastAudit();
  await tx.ticket("t");
  for (const what of ["clean", "interrupt", "cancel", "reset"] as const)
    await tx.window({ id: "r", what, limit: 3 });
}
