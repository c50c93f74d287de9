import { describeThrown } from "../core/errors.ts";
import { encode, type Json } from "../core/payload.ts";

/** Stands for what throws when it is looked at. */
const HIDDEN = "[it cannot be shown]";
/** Characters of what is not JSON data; the rest is cut. */
const LONGEST = 1_024;
/** Levels of data that are described; what is deeper is shown as a text. */
const DEEPEST = 8;

/** A message as a text: a log line never fails a task. */
export function logMessage(message: unknown): string {
  try {
    return String(message);
  } catch {
    return HIDDEN;
  }
}

/**
 * JSON text of the fields of a log line, or null when there are none. What JSON cannot carry is described where it stands, and fields
 * that are too large together are cut.
 */
export function logFields(fields: unknown): string | null {
  if (fields === undefined || fields === null) return null;
  try {
    if (isRecord(fields)) return encode(fields, "fields");
  } catch {
    // Something in it is no JSON data.
  }
  const described = describeAll(fields);
  return text(described) ?? text(cut(described)) ?? JSON.stringify({ fields: HIDDEN });
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Error);
}

type Fields = { [name: string]: Json };

function describeAll(fields: unknown): Fields {
  try {
    if (fields instanceof Error) return { error: describe(fields, []) };
  } catch {
    return { value: HIDDEN };
  }
  const described = describe(fields, []);
  return isRecord(described) ? (described as Fields) : { value: described };
}

/** `above` are the objects that this one stands in. */
function describe(value: unknown, above: readonly unknown[]): Json {
  try {
    return described(value, above);
  } catch {
    return HIDDEN;
  }
}

function described(value: unknown, above: readonly unknown[]): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value !== "object") return logMessage(value).slice(0, LONGEST);
  if (value instanceof Error) return describeThrown(value) as unknown as Json;
  if (isDate(value)) return value.toISOString();
  if (above.includes(value)) return "[it contains itself]";
  const deeper = [...above, value];
  const data = deeper.length <= DEEPEST;
  if (data && Array.isArray(value)) return value.map((item) => describe(item, deeper));
  if (data && isPlain(value)) return describeFields(value, deeper);
  // Some classes show themselves, a URL does.
  return `${value as unknown as string}`.slice(0, LONGEST);
}

function describeFields(fields: object, above: readonly unknown[]): Fields {
  const described: [string, Json][] = [];
  for (const name of Object.keys(fields)) {
    const field = readField(fields, name);
    if (field !== undefined) described.push([name, describe(field, above)]);
  }
  return Object.fromEntries(described);
}

/** Undefined where there is nothing: it is left out, as in every payload. */
function readField(fields: object, name: string): unknown {
  try {
    return (fields as Record<string, unknown>)[name];
  } catch {
    return HIDDEN;
  }
}

/** Of this realm or another. */
function isDate(value: unknown): value is { toISOString(): string } {
  return Object.prototype.toString.call(value) === "[object Date]";
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function text(fields: Fields): string | null {
  try {
    return encode(fields, "fields");
  } catch {
    return null;
  }
}

function cut(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const json = JSON.stringify(value);
      return [name, json.length > LONGEST ? `${json.slice(0, LONGEST)}… (${json.length} characters)` : value];
    }),
  );
}
