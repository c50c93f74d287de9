/** Characters of a text that a message quotes. */
const QUOTED = 80;

/** A value that stands where something else should, as a message names it: `undefined`, `3`, `"a text"`, `an object`. */
export function inWords(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > QUOTED ? `${value.slice(0, QUOTED)}…` : value);
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "an array" : "an object";
    case "function":
    case "symbol":
      return `a ${typeof value}`;
    case "bigint":
      return `${value}n`;
    default:
      return String(value);
  }
}
