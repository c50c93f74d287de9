import { describe, expect, test } from "vitest";
import { MAX_PAYLOAD_BYTES } from "../core/payload.ts";
import { logFields, logMessage } from "./log-line.ts";

const HIDDEN = "[it cannot be shown]";
const refuse = (): never => {
  throw new Error("refused");
};
const fieldsOf = (fields: unknown): unknown => JSON.parse(logFields(fields)!);

describe("the message of a log line", () => {
  test("is a text, whatever is given", () => {
    expect(logMessage("text")).toBe("text");
    expect(logMessage(undefined)).toBe("undefined");
    expect(logMessage(Symbol("s"))).toBe("Symbol(s)");
    expect(logMessage(new TypeError("no"))).toBe("TypeError: no");
    expect(logMessage(Object.create(null))).toBe(HIDDEN);
    expect(logMessage({ toString: refuse })).toBe(HIDDEN);
  });
});

describe("the fields of a log line", () => {
  test("are JSON data as it is", () => {
    const fields = { n: 3, list: [1, null], deep: { text: "x" } };
    expect(fieldsOf({ ...fields, nothing: undefined })).toEqual(fields);
    expect(logFields(undefined)).toBe(null);
  });

  test("are described one by one where JSON cannot carry them", () => {
    const error = Object.assign(new RangeError("no", { cause: new Error("why") }), { code: "E_NO" });
    const circle: Record<string, unknown> = { n: 1 };
    circle["self"] = circle;
    const fields = fieldsOf({
      kept: 1,
      error,
      at: new Date(0),
      never: new Date("nonsense"),
      big: 3n,
      nan: Number.NaN,
      url: new URL("https://a.example/x"),
      symbol: Symbol("s"),
      nested: { at: new Date(0), list: [1n, undefined], nothing: undefined },
      get broken() {
        return refuse();
      },
      revoked: revoked(),
      nameless: Object.assign(Object.create(null), { a: 1n }),
      circle,
    }) as Record<string, unknown>;
    expect(fields).toMatchObject({
      kept: 1,
      error: {
        name: "RangeError",
        message: "no",
        code: "E_NO",
        stack: expect.stringContaining("log-line.test"),
      },
      at: "1970-01-01T00:00:00.000Z",
      never: HIDDEN,
      big: "3",
      nan: "NaN",
      url: "https://a.example/x",
      symbol: "Symbol(s)",
      nested: { at: "1970-01-01T00:00:00.000Z", list: ["1", "undefined"] },
      broken: HIDDEN,
      revoked: HIDDEN,
      nameless: { a: "1" },
      circle: { n: 1, self: "[it contains itself]" },
    });
  });

  test.for<[unknown, unknown]>([
    [new Error("no"), { error: expect.objectContaining({ name: "Error", message: "no" }) }],
    [[1, 2n], { value: [1, "2"] }],
    ["text", { value: "text" }],
    [3, { value: 3 }],
    [new Map([[1, 2]]), { value: "[object Map]" }],
  ])("are an object, whatever is given", ([given, fields]) => {
    expect(fieldsOf(given)).toEqual(fields);
  });

  test("are hidden when nothing of them can be looked at", () => {
    expect(fieldsOf(revoked())).toEqual({ value: HIDDEN });
  });

  test("are cut when they are too large together", () => {
    const large = "x".repeat(MAX_PAYLOAD_BYTES);
    const fields = fieldsOf({ large, small: 1 }) as { large: string };
    expect(fields).toEqual({ large: expect.stringMatching(/^"xxx.*1048578 characters\)$/), small: 1 });
    expect(fields.large.length).toBeLessThan(1_100);
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`f${n}`, "x".repeat(1_000)]));
    expect(fieldsOf(many)).toEqual({ fields: HIDDEN });
  });
});

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
