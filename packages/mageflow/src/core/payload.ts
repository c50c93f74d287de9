import { PayloadError } from "./errors.ts";

/**
 * The one door for values: inputs, results, checkpoints and steps become JSON text here or are refused.
 * Stores keep the text and never look inside.
 */

/** What JSON text carries unchanged. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Longest text of one payload, in UTF-8 bytes (1 MiB). Larger data belongs in a file or bucket, passed by name. */
export const MAX_PAYLOAD_BYTES = 1_048_576;

/** Deepest nesting of arrays and objects in one payload. */
export const MAX_PAYLOAD_DEPTH = 64;

/**
 * JSON text of a value; `undefined` is null, and a property whose value is `undefined` is left out. Every value is read once, and what
 * was checked is what is written.
 *
 * @throws PayloadError (`PAYLOAD`) for what JSON would drop or change (functions, symbols, BigInt, NaN, infinities, Date,
 *   Map and other class instances, holes, a `toJSON`), for nesting beyond {@link MAX_PAYLOAD_DEPTH} (a cycle is such a
 *   nesting), for text beyond {@link MAX_PAYLOAD_BYTES}, and for a getter that throws.
 */
export function encode(value: unknown, what = "$"): string {
  if (value === undefined || value === null) return "null";
  const json = write(value, [what]);
  requireSize([json], what);
  return json;
}

/** Refuses JSON texts that are more than {@link MAX_PAYLOAD_BYTES} together. @throws PayloadError (`PAYLOAD`) */
export function requireSize(texts: readonly (string | null)[], what: string): void {
  if (fits(texts)) return;
  const bytes = bytesOf(texts);
  throw new PayloadError(
    what,
    `${what} is ${bytes} bytes of JSON, more than ${MAX_PAYLOAD_BYTES}; store large data elsewhere and pass its name`,
  );
}

/** True for JSON texts of at most {@link MAX_PAYLOAD_BYTES} together. */
export function fits(texts: readonly (string | null)[]): boolean {
  let units = 0;
  for (const text of texts) units += text?.length ?? 0;
  return units * 3 <= MAX_PAYLOAD_BYTES || bytesOf(texts) <= MAX_PAYLOAD_BYTES;
}

function bytesOf(texts: readonly (string | null)[]): number {
  return texts.reduce((sum, text) => sum + (text === null ? 0 : utf8Bytes(text)), 0);
}

/** JSON text of what was decoded from JSON text: nothing is checked, -0 is kept. */
export function stringify(value: Json): string {
  return JSON.stringify(value, keepNegativeZero);
}

export function decode(text: string): Json {
  return JSON.parse(text) as Json;
}

/** The way to the value that is being written: what it is called, then keys and indexes. */
type Trail = (string | number)[];

function write(value: unknown, trail: Trail): string {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "boolean":
      return value ? "true" : "false";
    case "number":
      if (!Number.isFinite(value)) throw refuse(trail, `the number ${value}`);
      return Object.is(value, -0) ? "-0" : String(value);
    case "object":
      return value === null ? "null" : writeObject(value, trail);
    default:
      throw refuse(trail, `a ${typeof value}`);
  }
}

function writeObject(value: object, trail: Trail): string {
  if (trail.length > MAX_PAYLOAD_DEPTH) {
    const path = pathOf(trail);
    throw new PayloadError(
      path,
      `${path} is nested deeper than ${MAX_PAYLOAD_DEPTH} levels, or refers to itself; pass flatter data`,
    );
  }
  const list = read(() => Array.isArray(value), trail);
  if (!list) requirePlain(value, trail);
  if (typeof read(() => (value as { toJSON?: unknown }).toJSON, trail) === "function") {
    throw refuse([...trail, "toJSON"], "a function");
  }
  return list ? writeList(value as unknown[], trail) : writeFields(value as Record<string, unknown>, trail);
}

function writeList(list: readonly unknown[], trail: Trail): string {
  let text = "[";
  for (let i = 0; i < list.length; i++) {
    trail.push(i);
    const item = read(() => list[i], trail);
    if (item === undefined) throw refuse(trail, "undefined inside an array");
    text += (i === 0 ? "" : ",") + write(item, trail);
    trail.pop();
  }
  if (read(() => Object.keys(list).length, trail) !== list.length) {
    throw refuse(trail, "an array with properties besides its items");
  }
  return `${text}]`;
}

function writeFields(fields: Record<string, unknown>, trail: Trail): string {
  let text = "{";
  for (const key of read(() => Object.keys(fields), trail)) {
    trail.push(key);
    const item = read(() => fields[key], trail);
    if (item !== undefined) text += `${text === "{" ? "" : ","}${quote(key)}:${write(item, trail)}`;
    trail.pop();
  }
  return `${text}}`;
}

/** Reading may run foreign code: a getter, a Proxy. */
function read<T>(get: () => T, trail: Trail): T {
  try {
    return get();
  } catch (error) {
    const path = pathOf(trail);
    const why = error instanceof Error ? error.message : "its getter threw";
    throw new PayloadError(path, `${path} cannot be read: ${why}`, { cause: error });
  }
}

function requirePlain(value: object, trail: Trail): void {
  const prototype: unknown = read(() => Object.getPrototypeOf(value), trail);
  if (prototype !== null && prototype !== Object.prototype && !read(() => isForeignPlain(prototype), trail)) {
    throw refuse(trail, `an instance of ${read(() => className(value), trail)}`);
  }
  if (read(() => Object.getOwnPropertySymbols(value), trail).length > 0)
    throw refuse(trail, "an object with symbol keys");
}

/** Short plain texts need no escapes; the others are left to the engine, which also escapes lone surrogates. */
function quote(text: string): string {
  return text.length < 40 && PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

const PLAIN = /^[ !#-[\]-~]*$/;

/** A plain object of another realm (a `vm` context, a test runner): its prototype is a root with a `hasOwnProperty`. */
function isForeignPlain(prototype: unknown): boolean {
  return (
    typeof prototype === "object" &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype as object, "hasOwnProperty")
  );
}

function refuse(trail: Trail, found: string): PayloadError {
  const path = pathOf(trail);
  return new PayloadError(path, `${path} is ${found}, which JSON cannot carry unchanged; convert it first`);
}

function pathOf([what, ...rest]: Trail): string {
  return rest.reduce<string>(
    (path, at) => path + (typeof at === "number" ? `[${at}]` : `.${at}`),
    String(what),
  );
}

function className(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== "" ? name : "an unnamed class";
}

/** `JSON.rawJSON` (ES2025 proposal, in V8 since 11.4) writes -0 as the text `-0`, which parses back to -0. */
function keepNegativeZero(_key: string, value: unknown): unknown {
  return Object.is(value, -0) ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON("-0") : value;
}

function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // A surrogate pair is 4 bytes over 2 units; JSON.stringify leaves no lone surrogate in the text.
    if (unit >= 0x800) bytes += unit >= 0xd800 && unit <= 0xdfff ? 1 : 2;
    else if (unit >= 0x80) bytes += 1;
  }
  return bytes;
}
