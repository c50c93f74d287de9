import type { SignatureRecord } from "../../core/record.ts";
import type { Value } from "./literals.ts";

type Field = keyof SignatureRecord;

/** A column of `mageflow_signatures`, the field that it comes from, and how. */
export interface Column {
  readonly name: string;
  readonly field: Field;
  readonly of: (record: SignatureRecord) => Value;
  /** Kept as bytes, which a select turns into text. */
  readonly isBytes: boolean;
}

/** Columns that are read back: the fields of a record, one each; objects are JSON texts. */
const STORED: readonly Column[] = [
  bytes("id", (record) => record.id),
  bytes("rootId", (record) => record.rootId),
  bytes("parentId", (record) => record.parentId),
  bytes("role", (record) => record.role),
  plain("slot", (record) => record.slot),
  bytes("key", (record) => record.key),
  bytes("kind", (record) => record.kind),
  bytes("name", (record) => record.name),
  bytes("spec", (record) => record.spec),
  plain("priority", (record) => record.priority),
  plain("bound", (record) => record.bound),
  plain("createdAt", (record) => record.createdAt),
  bytes("status", (record) => record.status),
  bytes("prior", (record) => record.prior),
  bytes("heldBy", (record) => record.heldBy),
  plain("generation", (record) => record.generation),
  plain("origin", (record) => record.origin),
  plain("attempt", (record) => record.attempt),
  plain("epoch", (record) => record.epoch),
  plain("recoveries", (record) => record.recoveries),
  plain("readyAt", (record) => record.readyAt),
  plain("dueAt", (record) => record.dueAt),
  plain("deadlineAt", (record) => record.deadlineAt),
  bytes("workerId", (record) => record.workerId),
  plain("message", (record) => record.message),
  plain("result", (record) => record.result),
  plain("error", (record) => toJson(record.error)),
  plain("family", (record) => toJson(record.family)),
  bytes("sweep", (record) => record.sweep),
  plain("stop", (record) => toJson(record.stop)),
  plain("deletion", (record) => toJson(record.deletion)),
  plain("lock", (record) => toJson(record.lock)),
  plain("milestone", (record) => record.milestone),
  plain("credited", (record) => record.credited),
  plain("tags", (record) => (record.tags.length === 0 ? null : JSON.stringify(record.tags))),
  plain("startedAt", (record) => record.startedAt),
  plain("finishedAt", (record) => record.finishedAt),
];

/** What statements look at inside of JSON texts, which the server does not look into: it refuses some that JSON allows. */
export const DERIVED: readonly Column[] = [
  { ...derived("stop_verb", "stop", ({ stop }) => stop?.verb ?? null), isBytes: true },
  { ...derived("stop_by", "stop", ({ stop }) => stop?.by ?? null), isBytes: true },
  derived("stop_done", "stop", ({ stop }) => stop?.done ?? null),
  derived("stop_resumes", "stop", ({ stop }) => stop?.resumes ?? null),
  // Of what runs only: the instant at which it has had its grace.
  derived("stop_until", "stop", ({ status, stop }) => (status === "RUNNING" ? (stop?.until ?? null) : null)),
  derived("purge_at", "deletion", ({ deletion }) => deletion?.purgeAt ?? null),
];

/** The first columns of all: those of a plain signature, one that the defaults of the table describe but for these. */
const PLAIN_COUNT = STORED.findIndex(({ field }) => field === "status");

/** Columns of which a plain signature is made; they never change, but for four of them. */
export const PLAIN: readonly Column[] = STORED.slice(0, PLAIN_COUNT);

export const WHOLE: readonly Column[] = [...STORED, ...DERIVED];

/** What may change after a signature was stored. */
const MAY_CHANGE: ReadonlySet<Field> = new Set<Field>(["key", "spec", "priority", "bound"]);

export const CHANGEABLE: readonly Column[] = WHOLE.filter(
  ({ field }, n) => n >= PLAIN_COUNT || MAY_CHANGE.has(field),
);

/** As they are selected from the table under the name `s`, in the order of a `Row`. */
export const COLUMNS: string = STORED.map(({ name, isBytes }) =>
  isBytes ? `CONVERT(s.${name} USING utf8mb4)` : `s.${name}`,
).join(", ");

/** An id or another column that is kept as bytes, as a text. */
export function text(column: string): string {
  return `CONVERT(${column} USING utf8mb4)`;
}

export function toJson(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

function bytes(field: Field, of: Column["of"]): Column {
  return { name: named(field), field, of, isBytes: true };
}

function plain(field: Field, of: Column["of"]): Column {
  return { name: named(field), field, of, isBytes: false };
}

function derived(name: string, field: Field, of: Column["of"]): Column {
  return { name, field, of, isBytes: false };
}

/** In quotes, which two of them need: the language has words of the same spelling. */
function named(field: Field): string {
  return `\`${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}\``;
}
