import type { Json } from "./payload.ts";

/**
 * The one JSON text of a value: keys in the order of their UTF-16 units, no blanks. What RFC 8785 (JSON Canonicalization Scheme)
 * says of values that JSON can carry, for texts and numbers are written by it as JavaScript writes them.
 */
export function canonical(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key]!)}`);
  return `{${fields.join(",")}}`;
}
