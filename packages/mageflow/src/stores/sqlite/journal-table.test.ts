import { expect, test } from "vitest";
import type { Entry } from "../../core/event.ts";
import { Connection } from "./connection.ts";
import { JournalTable } from "./journal-table.ts";
import { migrate } from "./migrate.ts";

function journal(): { db: Connection; table: JournalTable } {
  const db = new Connection(null, { readOnly: false });
  migrate(db, null);
  return { db, table: new JournalTable(db) };
}

function entry(id: string, other: Partial<Entry> = {}): Entry {
  return { id, type: "ready", status: "READY", generation: 1, attempt: 0, ...other };
}

test("entries of one commit share rows, and come back one by one", () => {
  const { db, table } = journal();
  const entries = Array.from({ length: 1_234 }, (_, n) =>
    entry(`r.${n}`, n % 100 === 0 ? { attempt: n } : {}),
  );
  table.append("r", entries, 5);
  table.append("r", [entry("r")], 6);
  expect(db.get("SELECT count(*) FROM journal")).toEqual([4]);
  expect(table.lastSeq("r")).toBe(1_235);
  for (const after of [0, 1, 499, 500, 501, 1_233]) {
    const expected = entries.slice(after, after + 3).map((one, n) => ({ ...one, seq: after + n + 1, at: 5 }));
    expect(table.read("r", after, expected.length)).toEqual(expected);
  }
  expect(table.read("r", 0, 2_000)).toHaveLength(1_235);
  expect(table.read("r", 1_234, 9)).toEqual([{ ...entry("r"), seq: 1_235, at: 6 }]);
  expect(table.read("r", 1_235, 9)).toEqual([]);
  expect(table.read("r", 5_000, 9)).toEqual([]);
});

test("ids come back whole, whatever they look like beside the root's", () => {
  const { table } = journal();
  const ids = ["r", "r.1", "r.1.success0", "rr", "r=1", "=r", "=", "other", "r1.2", ""];
  table.append(
    "r",
    ids.map((id) => entry(id)),
    1,
  );
  expect(table.read("r", 0, 99).map(({ id }) => id)).toEqual(ids);
});

test("progress stands beside entries that differ in nothing else", () => {
  const { table } = journal();
  const entries = [
    entry("r.1"),
    entry("r.1", { progress: { fraction: 0, note: null } }),
    entry("r.1", { progress: { fraction: 0.1 + 0.2, note: "half \0 \ud800" } }),
    entry("r.2"),
    entry("r.3"),
  ];
  table.append("r", entries, 1);
  expect(table.read("r", 0, 9)).toEqual(entries.map((one, n) => ({ ...one, seq: n + 1, at: 1 })));
});
