import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { composeInput, merge } from "./compose.ts";
import { decode, encode } from "./payload.ts";

const compose = (incoming: unknown, ...bound: unknown[]) =>
  composeInput({
    incoming: incoming === undefined ? null : encode(incoming),
    bound: bound.map((layer) => (layer === undefined ? null : encode(layer))),
  });

describe("composeInput", () => {
  it("is {} when nothing comes in and nothing is bound", () => {
    expect(compose(undefined)).toEqual({});
    expect(compose(undefined, undefined, undefined)).toEqual({});
  });

  it("is null when null is given nearest", () => {
    expect(compose(undefined, null)).toBe(null);
    expect(compose({ a: 1 }, { b: 1 }, null)).toBe(null);
  });

  it("lets later and nearer layers win", () => {
    const incoming = { a: "in", b: "in", c: "in", d: "in", e: "in" };
    const outer = { b: "outer", c: "outer", d: "outer", e: "outer" };
    const inner = { c: "inner", d: "inner", e: "inner" };
    const own = { d: "own", e: "own" };
    expect(compose(incoming, outer, inner, own, { e: "message" })).toEqual({
      a: "in",
      b: "outer",
      c: "inner",
      d: "own",
      e: "message",
    });
  });

  it("merges objects deeply and replaces arrays", () => {
    expect(compose({ o: { a: 1, l: [1, 2, 3], n: { x: 1 } } }, { o: { b: 2, l: [4], n: { y: 2 } } })).toEqual(
      {
        o: { a: 1, b: 2, l: [4], n: { x: 1, y: 2 } },
      },
    );
  });

  it.each([
    [{ a: { b: 1 } }, { a: null }, { a: null }],
    [{ a: null }, { a: { b: 1 } }, { a: { b: 1 } }],
    [{ a: [1] }, { a: { 0: 2 } }, { a: { 0: 2 } }],
    [{ a: { 0: 2 } }, { a: [1] }, { a: [1] }],
    [{ a: 1 }, { a: -0 }, { a: -0 }],
  ])("replaces what is not an object on both sides: %j, %j", (lower, upper, expected) => {
    expect(compose(lower, upper)).toStrictEqual(expected);
  });

  it.each([[null], [[1, 2]], [0], [-0], [""], ["text"], [false]])(
    "takes %j in under `result`",
    (incoming) => {
      expect(compose(incoming)).toStrictEqual({ result: incoming });
      expect(compose(incoming, { b: 1 })).toStrictEqual({ result: incoming, b: 1 });
      expect(compose(incoming, { result: "bound" })).toEqual({ result: "bound" });
    },
  );

  it("keeps `__proto__` a key and pollutes nothing", () => {
    const lower =
      '{"__proto__":{"polluted":1},"a":{"__proto__":{"x":1}},"constructor":{"prototype":{"p":1}}}';
    const upper = '{"__proto__":{"more":2},"a":{"__proto__":{"y":2}},"constructor":{"prototype":{"q":2}}}';
    const composed = composeInput({ incoming: lower, bound: [upper] });
    expect(encode(composed)).toBe(
      '{"__proto__":{"polluted":1,"more":2},"a":{"__proto__":{"x":1,"y":2}},"constructor":{"prototype":{"p":1,"q":2}}}',
    );
    expect(Object.getPrototypeOf(composed)).toBe(Object.prototype);
    for (const key of ["polluted", "more", "x", "y", "p", "q"]) expect(key in {}).toBe(false);
  });

  it("does not take inherited names for keys", () => {
    expect(compose({ a: 1 }, { toString: { b: 1 }, valueOf: "x" })).toEqual({
      a: 1,
      toString: { b: 1 },
      valueOf: "x",
    });
  });
});

describe("merge", () => {
  const json = fc.jsonValue({ maxDepth: 4 }).map((value) => decode(JSON.stringify(value)));
  const object = fc
    .dictionary(fc.string({ maxLength: 2 }), json, { maxKeys: 5 })
    .map((value) => decode(JSON.stringify(value)));

  it("changes neither side, has {} as its neutral and is associative on objects", () => {
    fc.assert(
      fc.property(object, object, object, (a, b, c) => {
        const [before, after] = [encode(a), encode(b)];
        expect(encode(merge({}, a))).toBe(before);
        expect(encode(merge(a, {}))).toBe(before);
        expect(merge(a, a)).toStrictEqual(a);
        expect(encode(merge(merge(a, b), b))).toBe(encode(merge(a, b)));
        expect(Object.keys(merge(merge(a, b), c) as object)).toEqual(
          Object.keys(merge(a, merge(b, c)) as object),
        );
        expect([encode(a), encode(b)]).toEqual([before, after]);
      }),
    );
  });
});
