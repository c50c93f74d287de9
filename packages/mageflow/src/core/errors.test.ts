import { describe, expect, it } from "vitest";
import * as errors from "./errors.ts";

const { describeThrown, toError } = errors;

const INSTANCES: readonly (readonly [string, errors.MageFlowError])[] = [
  ["INVALID_PLAN", new errors.InvalidPlanError("m")],
  ["PAYLOAD", new errors.PayloadError("$.a", "m")],
  ["VALIDATION", new errors.ValidationError("the input", [{ path: "$.a", message: "expected a number" }])],
  ["NOT_FOUND", new errors.NotFoundError("id")],
  ["ILLEGAL_TRANSITION", new errors.IllegalTransitionError("id", "suspend", "FAILED", "hint")],
  ["ALREADY_RUNNING", new errors.AlreadyRunningError("id")],
  ["SWARM_CLOSED", new errors.SwarmClosedError("id", "why")],
  ["LEASE_LOST", new errors.LeaseLostError("id", 3)],
  ["SUPERSEDED", new errors.SupersededError("id", 3, 4)],
  ["TIMEOUT", new errors.TimeoutError("m")],
  ["SHUTDOWN", new errors.ShutdownError()],
  ["TERMINAL", new errors.TerminalError("m")],
  ["WORKFLOW_FAILED", new errors.WorkflowFailedError("id", "name", null)],
  ["INTERRUPTED", new errors.InterruptedError("id")],
  ["CANCELLED", new errors.CancelledError("id")],
  ["WAIT_TIMEOUT", new errors.WaitTimeoutError("id", 5)],
  ["CLOSED", new errors.ClosedError("the worker")],
  ["STORE_BUSY", new errors.StoreError("STORE_BUSY", "m")],
  ["UNKNOWN_TASK", new errors.UnknownTaskError("x", [])],
];

describe("the family of errors", () => {
  it.each(INSTANCES)("%s", (code, error) => {
    expect(error).toBeInstanceOf(errors.MageFlowError);
    expect(error).toBeInstanceOf(Error);
    expect(error.code).toBe(code);
    expect(error.name).toBe(error.constructor.name);
    expect(error.message).not.toBe("");
    expect(describeThrown(error)).toMatchObject({ name: error.name, code, message: error.message });
  });

  it("has one code for each class", () => {
    expect(new Set(INSTANCES.map(([code]) => code)).size).toBe(INSTANCES.length);
  });

  it("keeps a running task's refusal among the illegal transitions", () => {
    expect(new errors.AlreadyRunningError("id")).toBeInstanceOf(errors.IllegalTransitionError);
    expect(new errors.AlreadyRunningError("id").status).toBe("RUNNING");
  });

  it("keeps the cause", () => {
    const cause = new Error("inner");
    expect(new errors.TerminalError("m", { cause }).cause).toBe(cause);
    expect(new errors.StoreError("STORE_FULL", "m", { cause }).cause).toBe(cause);
  });

  it("makes a failed workflow's error the cause, with its code and stack", () => {
    const stored: errors.StoredError = {
      name: "BoomError",
      message: "boom",
      code: "BOOM",
      stack: "BoomError: boom\n    at task",
      attempts: 2,
      path: [],
      cause: { name: "Inner", message: "why" },
    };
    const error = new errors.WorkflowFailedError("id", "etl", stored);
    expect(error.message).toBe('"etl" (id) failed: BoomError: boom');
    expect(error.error).toBe(stored);
    expect(error.cause).toMatchObject({
      name: "BoomError",
      code: "BOOM",
      stack: stored.stack,
      cause: { name: "Inner" },
    });
  });
});

const hostile = (handler: ProxyHandler<object>): object => new Proxy({}, handler);
const refuse = (): never => {
  throw new Error("trap");
};

describe("describeThrown", () => {
  it("tells name, message, code and stack", () => {
    const error = Object.assign(new RangeError("too far"), { code: "E_FAR" });
    expect(describeThrown(error)).toEqual({
      name: "RangeError",
      message: "too far",
      code: "E_FAR",
      stack: error.stack,
    });
    expect(describeThrown(Object.assign(new Error("x"), { code: 42 })).code).toBe("42");
    expect(describeThrown(Object.assign(new Error("x"), { code: {} })).code).toBeUndefined();
  });

  it.each([
    ["null", null],
    ["undefined", undefined],
    ["a text", "text"],
    ["a number", 0],
    ["a BigInt", 1n],
    ["a symbol", Symbol("s")],
    ["a function", () => 1],
    ["an object", { a: 1 }],
    ["an object without a prototype", Object.create(null)],
    ["an object with a hostile toString", { toString: refuse }],
    ["a Proxy that refuses everything", hostile({ get: refuse, getPrototypeOf: refuse, has: refuse })],
    ["a Proxy of an error", new Proxy(new Error("x"), { get: refuse })],
    ["a Proxy of a function", new Proxy(() => 1, { apply: refuse })],
    ["an error with a hostile message", Object.defineProperty(new Error("x"), "message", { get: refuse })],
    ["an error with a hostile name", Object.defineProperty(new Error("x"), "name", { get: refuse })],
    ["an error with a hostile code", Object.defineProperty(new Error("x"), "code", { get: refuse })],
    ["an error with a hostile cause", Object.defineProperty(new Error("x"), "cause", { get: refuse })],
    ["an error with a hostile stack", Object.defineProperty(new Error("x"), "stack", { get: refuse })],
    ["an error whose message is no text", Object.assign(new Error("x"), { message: { toString: refuse } })],
    ["an error whose name is a symbol", Object.assign(new Error("x"), { name: Symbol("s") })],
  ])("always gives a name and a message, and JSON carries it: %s", (_what, thrown) => {
    const described = describeThrown(thrown);
    expect(described.name).toEqual(expect.any(String));
    expect(described.name).not.toBe("");
    expect(described.message).not.toBe("");
    expect(JSON.parse(JSON.stringify(described))).toEqual(described);
  });

  it.each<[unknown, string]>([
    [undefined, "undefined was thrown"],
    [null, "null was thrown"],
    [{ status: 503, message: "x" }, 'an object was thrown: {"status":503,"message":"x"}'],
    [{}, "an object was thrown: [object Object]"],
    [{ a: 1n }, "an object was thrown: [object Object]"],
    ["x", "a string was thrown: x"],
  ])("tells what was thrown that is no error: %o", (thrown, message) => {
    expect(describeThrown(thrown).message).toBe(message);
  });

  it("survives a revoked Proxy", () => {
    const { proxy, revoke } = Proxy.revocable(new Error("x"), {});
    revoke();
    expect(describeThrown(proxy).name).toBe("Error");
    expect(describeThrown(new Error("outer", { cause: proxy }))).toMatchObject({
      message: "outer",
      cause: { name: "Error" },
    });
  });

  it("follows causes eight deep", () => {
    let error = new Error("19");
    for (let i = 18; i >= 0; i--) error = new Error(String(i), { cause: error });
    const messages: string[] = [];
    for (let at: errors.StoredCause | undefined = describeThrown(error); at !== undefined; at = at.cause) {
      messages.push(at.message);
    }
    expect(messages).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
  });

  it("has what an AggregateError holds, eight errors and causes in all", () => {
    const inner = [new TypeError("one", { cause: new Error("why") }), "two", null];
    expect(describeThrown(new AggregateError(inner, "all failed"))).toMatchObject({
      name: "AggregateError",
      message: "all failed",
      errors: [
        { name: "TypeError", message: "one", cause: { message: "why" } },
        { message: "a string was thrown: two" },
        { message: "null was thrown" },
      ],
    });
    const wide = (levels: number): Error =>
      levels === 0
        ? new Error("leaf")
        : new AggregateError(
            Array.from({ length: 9 }, () => wide(levels - 1)),
            "w",
          );
    expect(JSON.stringify(describeThrown(wide(4))).match(/"message"/g)).toHaveLength(9);
    const again = toError(describeThrown(new AggregateError(inner, "all failed")));
    expect(again).toBeInstanceOf(AggregateError);
    expect((again as AggregateError).errors[0]).toMatchObject({ message: "one" });
  });

  it("ends with a circle of causes", () => {
    const error = new Error("round");
    error.cause = error;
    expect(JSON.stringify(describeThrown(error)).match(/round/g)!.length).toBeGreaterThanOrEqual(9);
  });

  it("bounds what it keeps", () => {
    const error = Object.assign(new Error("m".repeat(1_000_000)), {
      name: "n".repeat(10_000),
      code: "c".repeat(10_000),
      stack: "s".repeat(1_000_000),
    });
    expect(JSON.stringify(describeThrown(error)).length).toBeLessThan(30_000);
    expect(JSON.stringify(describeThrown("t".repeat(1_000_000))).length).toBeLessThan(2_000);
  });

  it("names an error without a name", () => {
    expect(describeThrown(Object.assign(new Error("x"), { name: "" })).name).toBe("Error");
  });

  it("comes back as an error with the same story", () => {
    const error = new RangeError("outer", {
      cause: Object.assign(new TypeError("inner"), { code: "E_INNER" }),
    });
    const again = toError(describeThrown(error));
    expect(again).toBeInstanceOf(Error);
    expect(again).toMatchObject({ name: "RangeError", message: "outer", stack: error.stack });
    expect(again.cause).toMatchObject({ name: "TypeError", message: "inner", code: "E_INNER" });
    expect(describeThrown(again)).toEqual(describeThrown(error));
  });
});
