import { expect, test } from "vitest";
import type { SignatureRecord } from "../../core/record.ts";
import { STATUSES } from "../../core/status.ts";
import type { ListQuery } from "../../ports/store.ts";
import { sampleCallback, sampleChild, sampleSwarm } from "../../testing/store-suite/sample-record.ts";
import { Connection } from "./connection.ts";
import { insertRecords } from "./insert-records.ts";
import { migrate } from "./migrate.ts";
import { Newest } from "./newest.ts";
import { toRecord } from "../signature-row.ts";

/** Workflows whose ids begin alike, with records born in few instants and in every status. */
const RECORDS: readonly SignatureRecord[] = ["r", "r1", "r1x", "s"].flatMap((id, n) => {
  const root = sampleSwarm(id, {
    createdAt: 10 + n,
    status: STATUSES[n * 3]!,
    tags: n % 2 === 0 ? ["even"] : [],
  });
  const inside = Array.from({ length: 40 }, (_, slot) => {
    const other = {
      createdAt: 10 + n + (slot % 4),
      status: STATUSES[slot % STATUSES.length]!,
      name: `name ${slot % 3}`,
    };
    return slot % 5 === 0 ? sampleCallback(root, "cleanup", slot, other) : sampleChild(root, slot, other);
  });
  return [...inside, root];
});

const FILTERS: readonly Partial<ListQuery>[] = [
  {},
  { statuses: ["FAILED"] },
  { statuses: ["FAILED", "WAITING", "FAILED"] },
  { statuses: ["FAILED", "RUNNING"] },
  { statuses: ["READY", "WAITING", "RUNNING"], kinds: ["task"] },
  { statuses: ["RUNNING"] },
  { statuses: [] },
  { names: ["name 1"], roles: ["item"] },
  { kinds: ["swarm"] },
  { tag: "even" },
  { tag: "even", statuses: ["SKIPPED", "PENDING"] },
  { tag: "none" },
];

const QUERIES = FILTERS.flatMap((filter) =>
  [true, false].flatMap((roots) =>
    [undefined, "r1", "none"].map((rootId) => ({
      ...filter,
      roots,
      ...(rootId === undefined ? {} : { rootId }),
    })),
  ),
);

test.for(QUERIES)("%j gives what fits, page by page", (query) => {
  const db = new Connection(null, { readOnly: false });
  migrate(db, null);
  insertRecords(db, RECORDS);
  const newest = new Newest(db);
  for (const limit of [1, 3, 500]) {
    const met: SignatureRecord[] = [];
    for (let after: ListQuery["after"] = null; ;) {
      const page: SignatureRecord[] = newest.list({ ...query, after, limit }).map(toRecord);
      met.push(...page);
      after = page.at(-1) ?? null;
      if (after === null) break;
    }
    expect(met.map(({ id }) => id)).toEqual(expected(query));
  }
});

/** The filters as the port tells them. */
function expected({
  roots,
  statuses,
  kinds,
  names,
  roles,
  tag,
  rootId,
}: Omit<ListQuery, "after" | "limit">): string[] {
  const tagged = new Set(
    RECORDS.filter(({ tags }) => tag !== undefined && tags.includes(tag)).map(({ id }) => id),
  );
  return RECORDS.filter(
    (record) =>
      (!roots || record.role === "root") &&
      (rootId === undefined || record.rootId === rootId) &&
      (statuses?.includes(record.status) ?? true) &&
      (kinds?.includes(record.kind) ?? true) &&
      (names?.includes(record.name) ?? true) &&
      (roles?.includes(record.role) ?? true) &&
      (tag === undefined || tagged.has(record.rootId)),
  )
    .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
    .map(({ id }) => id);
}
