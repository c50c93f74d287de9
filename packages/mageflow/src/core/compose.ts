import { decode, fits, type Json, requireSize, stringify } from "./payload.ts";

/**
 * The input of a signature, put together from layers, lowest first: what comes in, the `with` of each enclosing
 * container from the outermost in, its own `with`, the message given to it at run.
 */
export interface InputLayers {
  /** JSON text of what comes in, or null when nothing does. */
  incoming: string | null;
  /** JSON texts above it, lowest first. */
  bound: readonly (string | null)[];
}

/** With no layer at all the input is `{}`. A layer that is null is given, and replaces what is below. */
export function composeInput(layers: InputLayers): Json {
  let input: Json | undefined;
  if (layers.incoming !== null) input = asObject(decode(layers.incoming));
  for (const text of layers.bound) {
    if (text !== null) input = input === undefined ? decode(text) : merge(input, decode(text));
  }
  return input === undefined ? {} : input;
}

/** Refuses an input that is too large although no layer of it is. @throws PayloadError (`PAYLOAD`) */
export function requireFit(layers: InputLayers, what: string): void {
  if (!fits([layers.incoming, ...layers.bound])) requireSize([stringify(composeInput(layers))], what);
}

/** Anything but an object comes in under `result`. */
function asObject(incoming: Json): Json {
  return isObject(incoming) ? incoming : { result: incoming };
}

/**
 * Plain objects merge deeply, everything else (arrays too) replaces. Keys are defined rather than assigned, so a parsed
 * `__proto__` stays an ordinary key and pollutes nothing.
 */
export function merge(lower: Json, upper: Json): Json {
  if (!isObject(lower) || !isObject(upper)) return upper;
  const merged: { [key: string]: Json } = {};
  for (const key of Object.keys(lower)) define(merged, key, lower[key]!);
  for (const key of Object.keys(upper)) {
    define(merged, key, Object.hasOwn(lower, key) ? merge(lower[key]!, upper[key]!) : upper[key]!);
  }
  return merged;
}

function define(target: { [key: string]: Json }, key: string, value: Json): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    target[key] = value;
  }
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
