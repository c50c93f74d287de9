import type { Json } from "../../../core/payload.ts";
import type { SignatureRecord } from "../../../core/record.ts";
import { isTwin, type Shadow } from "../shadow.ts";

type Object = { [key: string]: Json };

/**
 * I6 (data): what a task's code must get, worked out from the recorded outputs by the rule of the design and by nothing of
 * the library: what comes in, the `with` of each enclosing container, its own, the message.
 */
export class DataFlow {
  readonly #shadow: Shadow;

  constructor(shadow: Shadow) {
    this.#shadow = shadow;
  }

  input(record: SignatureRecord): Json {
    let input: Json = {};
    const incoming = this.#incoming(record);
    if (incoming !== undefined) input = isObject(incoming) ? incoming : { result: incoming };
    for (const text of [...this.#enclosing(record), record.bound, record.message]) {
      if (text !== null) input = merged(input, JSON.parse(text) as Json);
    }
    return input;
  }

  result(record: SignatureRecord): Json {
    if (record.kind === "task") return JSON.parse(record.result!) as Json;
    const children = this.#shadow.children(record.id).toSorted((a, b) => a.slot - b.slot);
    if (record.kind === "chain") return this.result(children.at(-1)!);
    const results = children.map((item) => ({
      index: item.slot,
      ...(item.key === null ? {} : { key: item.key }),
      id: item.id,
      status: item.status,
      ...(item.status === "SUCCEEDED" ? { result: this.result(item) } : {}),
      ...(item.status === "FAILED" ? { error: JSON.parse(JSON.stringify(item.error)) as Json } : {}),
    }));
    const count = (status: string): number => children.filter((item) => item.status === status).length;
    return {
      total: children.length,
      succeeded: count("SUCCEEDED"),
      failed: count("FAILED"),
      skipped: count("SKIPPED"),
      results: results as Json[],
    };
  }

  #incoming(record: SignatureRecord): Json | undefined {
    const parent = this.#shadow.parent(record);
    if (parent === null || isTwin(record)) return undefined;
    if (record.role === "step" && record.slot > 0) {
      return this.result(this.#shadow.children(parent.id).find(({ slot }) => slot === record.slot - 1)!);
    }
    if (record.role === "success" || record.role === "itemSuccess") return this.result(parent);
    const input = this.input(parent);
    const nothing = isObject(input) && Object.keys(input).length === 0;
    return nothing && (record.role === "step" || record.role === "item") ? undefined : input;
  }

  #enclosing(record: SignatureRecord): string[] {
    const bound: string[] = [];
    for (let at = record; at.role === "step" || at.role === "item";) {
      at = this.#shadow.parent(at)!;
      if (at.bound !== null) bound.unshift(at.bound);
    }
    return bound;
  }
}

function merged(lower: Json, upper: Json): Json {
  if (!isObject(lower) || !isObject(upper)) return upper;
  const both: Object = { ...lower };
  for (const [key, value] of Object.entries(upper))
    both[key] = key in lower ? merged(lower[key]!, value) : value;
  return both;
}

function isObject(value: Json): value is Object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** JSON text with sorted keys, to compare by. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
