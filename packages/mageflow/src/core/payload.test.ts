/* oxlint-disable vitest/no-conditional-expect, vitest/expect-expect -- refusals are looked at, properties return. */
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PayloadError } from "./errors.ts";
import { decode, encode, MAX_PAYLOAD_BYTES, MAX_PAYLOAD_DEPTH } from "./payload.ts";

function refusal(value: unknown, what?: string): PayloadError {
  try {
    encode(value, what);
  } catch (error) {
    expect(error).toBeInstanceOf(PayloadError);
    expect(error).toMatchObject({ code: "PAYLOAD" });
    return error as PayloadError;
  }
  throw new Error("it was not refused");
}

function nested(levels: number, wrap: (inner: unknown) => unknown = (inner) => [inner]): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = wrap(value);
  return value;
}

class Money {
  amount = 1;
}

describe("encode", () => {
  it("gives back any JSON value exactly", () => {
    const json = fc.jsonValue({ noUnicodeString: false, maxDepth: 8 });
    fc.assert(fc.property(json, (value) => same(decode(encode(value)), value)));
  });

  it("gives back hostile keys and texts exactly", () => {
    const key = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "__proto__",
        "constructor",
        "toString",
        "$where",
        "a.b",
        "",
        "length",
        "hasOwnProperty",
      ),
    );
    const text = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units));
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(text, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.array(fc.tuple(key, tie("value")), { maxLength: 4 }).map((entries) => {
          const object = {};
          for (const [name, item] of entries) {
            Object.defineProperty(object, name, {
              value: item,
              enumerable: true,
              configurable: true,
              writable: true,
            });
          }
          return object;
        }),
      ),
    }));
    fc.assert(
      fc.property(value, (given) => {
        const back: unknown = decode(encode(given));
        expect(same(back, given)).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each([
    [-0],
    [[-0, { a: -0 }]],
    [0],
    [2 ** 53 + 2],
    [Number.MIN_VALUE],
    [Number.MAX_VALUE],
    ["\0"],
    ["\ud800"],
    ["\udfff\ud800"],
    ["a\u2028b"],
    [{ "": { "": "" } }],
    [Object.fromEntries([["__proto__", { polluted: true }]])],
    [Object.assign(Object.create(null) as object, { a: 1 })],
  ])("round trip %#", (value) => {
    expect(same(decode(encode(value)), value)).toBe(true);
  });

  it("takes undefined for null, and leaves out properties that are undefined", () => {
    expect(encode(undefined)).toBe("null");
    expect(encode({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  it.each([
    ["NaN", { a: [1, Number.NaN] }, "$.a[1]"],
    ["infinity", { a: Number.POSITIVE_INFINITY }, "$.a"],
    ["minus infinity", Number.NEGATIVE_INFINITY, "$"],
    ["BigInt", [[1n]], "$[0][0]"],
    ["symbol", { a: { b: Symbol("s") } }, "$.a.b"],
    ["function", { a: () => 1 }, "$.a"],
    ["class", Money, "$"],
    ["undefined in an array", [1, undefined], "$[1]"],
    // oxlint-disable-next-line no-sparse-arrays
    ["hole", { list: [1, , 2] }, "$.list[1]"],
    ["Date", { at: new Date(0) }, "$.at"],
    ["Map", { m: new Map() }, "$.m"],
    ["Set", [new Set()], "$[0]"],
    ["RegExp", /x/, "$"],
    ["Error", new Error("x"), "$"],
    ["Buffer", { b: Buffer.from("x") }, "$.b"],
    ["Uint8Array", new Uint8Array(2), "$"],
    ["Promise", Promise.resolve(1), "$"],
    ["class instance", { price: new Money() }, "$.price"],
    ["boxed number", [Object(1)], "$[0]"],
    ["boxed string", Object("x"), "$"],
    ["boxed BigInt", Object(1n), "$"],
    ["own toJSON", { a: { toJSON: () => 5 } }, "$.a.toJSON"],
    ["object on an object", Object.create({ inherited: 1 }), "$"],
    ["foreign Date", runInNewContext("new Date(0)"), "$"],
    ["foreign Map", { a: runInNewContext("new Map()") }, "$.a"],
    ["foreign class", runInNewContext("new (class X { a = 1 })()"), "$"],
    ["foreign function", [runInNewContext("() => 1")], "$[0]"],
  ])("refuses %s with its path", (_kind, value, path) => {
    expect(refusal(value).path).toBe(path);
  });

  it("begins the path with what it was told", () => {
    expect(refusal({ a: 1n }, "the result").path).toBe("the result.a");
    expect(refusal({ a: 1n }, "the result").message).toContain("the result.a is a bigint");
  });

  it("takes plain objects and arrays of another realm", () => {
    expect(encode(runInNewContext('({ a: [1, { b: "x" }] })'))).toBe('{"a":[1,{"b":"x"}]}');
    expect(encode(runInNewContext("[1, -0]"))).toBe("[1,-0]");
    expect(encode(runInNewContext("Object.create(null)"))).toBe("{}");
  });

  it(`goes ${MAX_PAYLOAD_DEPTH} levels deep and no deeper`, () => {
    const object = (inner: unknown) => ({ a: inner });
    expect(decode(encode(nested(64)))).toEqual(nested(64));
    expect(decode(encode(nested(64, object)))).toEqual(nested(64, object));
    expect(refusal(nested(65)).path).toBe(`$${"[0]".repeat(64)}`);
    expect(refusal(nested(65, object)).path).toBe(`$${".a".repeat(64)}`);
    expect(refusal(nested(1_000_000)).message).toContain("deeper than 64");
  });

  it("refuses what refers to itself", () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(refusal(circle).message).toContain("refers to itself");
    const ring: unknown[] = [];
    ring.push({ ring });
    expect(refusal(ring).message).toContain("refers to itself");
  });

  it("takes the same object twice", () => {
    const shared = { a: 1 };
    expect(encode([shared, shared])).toBe('[{"a":1},{"a":1}]');
  });

  it.each([
    ["a", 1],
    ["é", 2],
    ["€", 3],
    ["😀", 4],
    ["\ud800", 6],
    ["\n", 2],
  ])("counts %j as the %d bytes that it takes", (text, bytes) => {
    const room = MAX_PAYLOAD_BYTES - 2;
    const count = Math.floor(room / bytes);
    const full = text.repeat(count) + "x".repeat(room - count * bytes);
    expect(Buffer.byteLength(encode(full))).toBe(MAX_PAYLOAD_BYTES);
    expect(refusal(`${full}x`).message).toContain(`${MAX_PAYLOAD_BYTES + 1} bytes`);
    expect(refusal({ a: `${full}` }).path).toBe("$");
  });

  it("refuses what is far too large", () => {
    expect(refusal("x".repeat(10_000_000)).message).toContain("10000002 bytes");
  });

  it("refuses a getter that throws, with its path", () => {
    const value = {
      a: {
        get b() {
          throw new RangeError("out of reach");
        },
      },
    };
    const error = refusal(value);
    expect(error.message).toContain("out of reach");
    expect(error.cause).toBeInstanceOf(RangeError);
    expect(error.path).toBe("$.a.b");
  });

  it("refuses a getter that throws nothing", () => {
    const value = {
      get a() {
        // oxlint-disable-next-line only-throw-error
        throw null;
      },
    };
    expect(refusal(value).path).toMatch(/^\$/);
  });

  it("survives Proxies", () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(refusal({ a: proxy }).path).toMatch(/^\$/);
    const hostile = new Proxy({}, { getPrototypeOf: () => { throw new Error("no"); } }); // prettier-ignore
    expect(refusal(hostile).path).toBe("$");
    expect(encode(new Proxy({ a: 1 }, {}))).toBe('{"a":1}');
    expect(encode(new Proxy([1], {}))).toBe("[1]");
    expect(refusal(new Proxy(new Map(), {})).path).toBe("$");
  });

  it("never writes something else than it checked", () => {
    const withToJson = Object.defineProperty({ a: 1 }, "toJSON", { value: () => ({ a: 2 }) });
    expect(() => encode(withToJson)).toThrow(PayloadError);
    const list = Object.assign([1], { toJSON: () => [2] });
    expect(() => encode(list)).toThrow(PayloadError);
    let reads = 0;
    const fickle = {
      get a() {
        return reads++ === 0 ? 1 : Number.NaN;
      },
    };
    let text: string | undefined;
    try {
      text = encode(fickle);
    } catch (error) {
      expect(error).toBeInstanceOf(PayloadError);
    }
    expect(text).not.toBe('{"a":null}');
  });

  it("refuses symbol keys, which JSON would drop", () => {
    expect(() => encode({ [Symbol("s")]: 1 })).toThrow(PayloadError);
  });
});

/** Equal down to -0, own `__proto__` keys and the order of keys. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  const others = Object.keys(b);
  if (keys.length !== others.length) return false;
  const own = (object: object, key: string): unknown => Object.getOwnPropertyDescriptor(object, key)?.value;
  return keys.every((key) => Object.hasOwn(b, key) && same(own(a, key), own(b, key)));
}
