import { expect, test } from "vitest";
import type { SignatureRecord } from "../../core/record.ts";
import { fullRecord, sampleItems, sampleSwarm, sampleTask } from "../../testing/store-suite/sample-record.ts";
import { Connection } from "./connection.ts";
import { migrate } from "./migrate.ts";
import { insertRecords } from "./insert-records.ts";
import { toRecord } from "../signature-row.ts";
import { COLUMNS, type Row } from "./row.ts";
import { updateRecords } from "./update-records.ts";

function database(): Connection {
  const db = new Connection(null, { readOnly: false });
  migrate(db, null);
  return db;
}

function stored(db: Connection): SignatureRecord[] {
  return db.all<Row>(`SELECT ${COLUMNS} FROM signatures ORDER BY seq`).map(toRecord);
}

function update(
  db: Connection,
  change: (record: SignatureRecord, n: number) => Partial<SignatureRecord>,
): void {
  const updates = stored(db).map((record, n) => ({
    stored: { seq: n + 1, record },
    now: { ...record, ...change(record, n) },
  }));
  updateRecords(db, updates);
}

/** Around the size of the groups that one statement writes. */
const COUNTS = [1, 15, 16, 17, 32, 50];

test.for(COUNTS)("%i plain records and as many others are inserted as they are", (count) => {
  const db = database();
  const plain = sampleItems(sampleSwarm("r"), count);
  const others = Array.from({ length: count }, (_, n) => fullRecord(`f${n}`, { key: `${n}`, slot: n }));
  insertRecords(
    db,
    plain.flatMap((item, n) => [item, others[n]!]),
  );
  expect(new Set(stored(db))).toEqual(new Set([...plain, ...others]));
});

test.for(COUNTS)("%i records get the same values", (count) => {
  const db = database();
  insertRecords(db, sampleItems(sampleSwarm("r"), count));
  const claimed = { status: "RUNNING", workerId: "w", attempt: 1, epoch: 1, startedAt: 5 } as const;
  update(db, () => claimed);
  expect(stored(db)).toEqual(sampleItems(sampleSwarm("r"), count, claimed));
});

test.for(COUNTS)("%i records get each its own values", (count) => {
  const db = database();
  const items = sampleItems(sampleSwarm("r"), count);
  insertRecords(db, items);
  const change = (_: unknown, n: number): Partial<SignatureRecord> => ({ result: `${n}`, finishedAt: n });
  update(db, change);
  expect(stored(db)).toEqual(items.map((item, n) => ({ ...item, ...change(item, n) })));
});

test("records with different changes are not mixed up", () => {
  const db = database();
  const items = sampleItems(sampleSwarm("r"), 200);
  insertRecords(db, items);
  const changes: readonly Partial<SignatureRecord>[] = [
    { status: "READY" },
    { status: "READY", readyAt: 1 },
    { result: "1" },
    {},
    { tags: ["a"] },
  ];
  const change = (_: unknown, n: number): Partial<SignatureRecord> => changes[(n * 7) % changes.length]!;
  update(db, change);
  expect(stored(db)).toEqual(items.map((item, n) => ({ ...item, ...change(item, n) })));
});

test("every field that may change is written alone and with all others", () => {
  const before = sampleTask("t");
  const { id, rootId, parentId, role, slot, key, kind, name, spec, bound, createdAt } = before;
  const kept = { id, rootId, parentId, role, slot, key, kind, name, spec, bound, createdAt };
  const after: SignatureRecord = { ...fullRecord("t"), ...kept };
  const fields = Object.keys(before).filter((field) => !(field in kept)) as (keyof SignatureRecord)[];
  for (const changed of [...fields.map((field) => [field]), fields]) {
    const db = database();
    insertRecords(db, [before]);
    const now = { ...before, ...Object.fromEntries(changed.map((field) => [field, after[field]])) };
    update(db, () => now);
    expect(stored(db)).toEqual([now]);
    update(db, () => before);
    expect(stored(db)).toEqual([before]);
  }
});

test("a workflow is listed by the tags that its root has now", () => {
  const db = database();
  insertRecords(db, [sampleTask("r", { tags: ["a", "b"] })]);
  const tags = (): unknown[] => db.all<[string]>("SELECT tag FROM root_tags").map(([tag]) => tag);
  expect(tags()).toEqual(["a", "b"]);
  update(db, () => ({ tags: ["b", "c", "c"] }));
  expect(tags()).toEqual(["b", "c"]);
  update(db, () => ({ tags: [] }));
  expect(tags()).toEqual([]);
});
