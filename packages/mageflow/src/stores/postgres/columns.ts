import type { SignatureRecord } from "../../core/record.ts";
import type { ColumnType } from "./arrays.ts";

type Field = keyof SignatureRecord;
type Value = string | number | boolean | null;

/** A column of `signatures`, the field that it comes from, and how. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly field: Field;
  readonly of: (record: SignatureRecord) => Value;
}

/** Columns that are read back: the fields of a record, one each; objects are JSON texts. */
const STORED: readonly Column[] = [
  text("id", (record) => record.id),
  text("rootId", (record) => record.rootId),
  text("parentId", (record) => record.parentId),
  text("role", (record) => record.role),
  int4("slot", (record) => record.slot),
  text("key", (record) => record.key),
  text("kind", (record) => record.kind),
  text("name", (record) => record.name),
  text("spec", (record) => record.spec),
  int4("priority", (record) => record.priority),
  text("bound", (record) => record.bound),
  int8("createdAt", (record) => record.createdAt),
  text("status", (record) => record.status),
  text("prior", (record) => record.prior),
  text("heldBy", (record) => record.heldBy),
  int4("generation", (record) => record.generation),
  int4("origin", (record) => record.origin),
  int4("attempt", (record) => record.attempt),
  int4("epoch", (record) => record.epoch),
  int4("recoveries", (record) => record.recoveries),
  int8("readyAt", (record) => record.readyAt),
  int8("dueAt", (record) => record.dueAt),
  int8("deadlineAt", (record) => record.deadlineAt),
  text("workerId", (record) => record.workerId),
  text("message", (record) => record.message),
  text("result", (record) => record.result),
  text("error", (record) => toJson(record.error)),
  text("family", (record) => toJson(record.family)),
  text("sweep", (record) => record.sweep),
  text("stop", (record) => toJson(record.stop)),
  text("deletion", (record) => toJson(record.deletion)),
  text("lock", (record) => toJson(record.lock)),
  int4("milestone", (record) => record.milestone),
  int4("credited", (record) => record.credited),
  text("tags", (record) => (record.tags.length === 0 ? null : JSON.stringify(record.tags))),
  int8("startedAt", (record) => record.startedAt),
  int8("finishedAt", (record) => record.finishedAt),
];

/** What statements look at inside of JSON texts, which the server does not look into: it refuses some that JSON allows. */
export const DERIVED: readonly Column[] = [
  column("stop_verb", "text", "stop", ({ stop }) => stop?.verb ?? null),
  column("stop_by", "text", "stop", ({ stop }) => stop?.by ?? null),
  column("stop_done", "bool", "stop", ({ stop }) => stop?.done ?? null),
  column("stop_resumes", "bool", "stop", ({ stop }) => stop?.resumes ?? null),
  // Of what runs only: the instant at which it has had its grace.
  column("stop_until", "int8", "stop", ({ status, stop }) =>
    status === "RUNNING" ? (stop?.until ?? null) : null,
  ),
  column("purge_at", "int8", "deletion", ({ deletion }) => deletion?.purgeAt ?? null),
];

/** The first columns of all: those of a plain signature, one that the defaults of the table describe but for these. */
const PLAIN_COUNT = STORED.findIndex(({ name }) => name === "status");

/** Columns of which a plain signature is made; they never change, but for four of them. */
export const PLAIN: readonly Column[] = STORED.slice(0, PLAIN_COUNT);

export const WHOLE: readonly Column[] = [...STORED, ...DERIVED];

/** What may change after a signature was stored. */
const MAY_CHANGE = new Set(["key", "spec", "priority", "bound"]);

export const CHANGEABLE: readonly Column[] = WHOLE.filter(
  (column, n) => n >= PLAIN_COUNT || MAY_CHANGE.has(column.name),
);

/** As they are selected, in the order of a `Row`. */
export const COLUMNS: string = STORED.map(({ name }) => name).join(", ");

export function toJson(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

function text(field: Field, of: Column["of"]): Column {
  return column(named(field), "text", field, of);
}

function int4(field: Field, of: Column["of"]): Column {
  return column(named(field), "int4", field, of);
}

function int8(field: Field, of: Column["of"]): Column {
  return column(named(field), "int8", field, of);
}

function column(name: string, type: ColumnType, field: Field, of: Column["of"]): Column {
  return { name, type, field, of };
}

function named(field: Field): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
