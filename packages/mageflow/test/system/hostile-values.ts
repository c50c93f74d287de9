import fc from "fast-check";

/** What does not become the same text everywhere. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.constantFrom(0, 0x22, 0x5c, 0xd83d, 0xde00, 0xdfff, 0x2028),
    ),
  )
  .map((units) => String.fromCharCode(...units));
const hostileKey = fc.constantFrom(
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "$where",
  "a.b",
  "$.a",
  "",
  "0",
  "-1",
  "then",
  "length",
  "valueOf",
  "\0",
  "\ud800",
  "result",
  "payload",
);
const hostileNumber = fc.constantFrom(
  0,
  -0,
  2 ** 53 + 1,
  -(2 ** 53),
  5e-324,
  1.7976931348623157e308,
  0.1,
  1e21,
  1e-7,
  Number.NaN,
  Number.POSITIVE_INFINITY,
);
/** As from a request: `__proto__` is an own key of it. */
const parsed = fc.dictionary(hostileKey, fc.oneof(hostileText, hostileNumber)).map((fields) => {
  const text = Object.entries(fields).filter(
    ([, value]) => typeof value === "string" || Number.isFinite(value),
  );
  return JSON.parse(
    `{${text.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")},"__proto__":{"polluted":true}}`.replace(
      "{,",
      "{",
    ),
  ) as unknown;
});
const nested = fc.integer({ min: 55, max: 70 }).map((levels) => {
  let value: unknown = "bottom";
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { in: value };
  return value;
});

class Point {
  x = 1;
}

/** Made anew each time, for those that can be used up. */
export const ODD: readonly (() => unknown)[] = [
  () => 10n,
  () => new Date(0),
  () => new Map([[1, 2]]),
  () => new Set(),
  () => new Point(),
  () => /x/,
  () => Symbol("s"),
  () => () => 1,
  () => new Uint8Array(3),
  () => Buffer.from("x"),
  () => Array(3),
  () => [1, undefined],
  () => ({ a: undefined }),
  () => Object.create(null) as unknown,
  () => ({ toJSON: () => 1 }),
  () => ({
    toJSON: () => {
      throw new Error("toJSON");
    },
  }),
  () => ({
    get bad(): never {
      throw new Error("getter");
    },
  }),
  () =>
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("ownKeys");
        },
      },
    ),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    return circle;
  },
  () => ({ [Symbol("key")]: 1 }),
  () => new Error("as data"),
  () => Promise.resolve(1),
  () => new Number(1),
  () => Object.assign([1], { extra: 1 }),
  () => "é".repeat(524_200),
  () => "x".repeat(1_048_577),
  () => "\0".repeat(180_000),
  () => {
    let value: unknown = 1;
    for (let i = 0; i < 200_000; i++) value = [value];
    return value;
  },
];

/** Plain data, data that only looks plain, and what is none. */
export const ANYTHING: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSparseArray: true,
      withTypedArray: true,
      withNullPrototype: true,
      withBoxedValues: true,
      withObjectString: true,
      maxDepth: 4,
    }),
  },
  { weight: 3, arbitrary: fc.jsonValue() },
  { weight: 1, arbitrary: hostileText },
  { weight: 1, arbitrary: hostileNumber },
  { weight: 2, arbitrary: parsed },
  { weight: 1, arbitrary: nested },
);
