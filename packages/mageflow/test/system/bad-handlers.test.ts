import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Folder, folder, program } from "./program.ts";

interface Outcome {
  name: string;
  status: string;
  result?: unknown;
  error: { name: string; code?: string; message: string } | null;
  attempt: number;
  recoveries: number;
  entered: number;
  callbacks: string[];
}

const FAILED: [handler: string, error: { name?: string; code?: string; message: string }][] = [
  ["strayRejection", { message: "nobody handles this" }],
  ["throwInTimer", { message: "from a timer" }],
  ["throwInImmediate", { message: "from an immediate" }],
  ["throwInEmitter", { message: "from a listener" }],
  ["unheardError", { message: "nobody listens to this" }],
  ["exit", { code: "TERMINAL", message: "process.exit()" }],
  ["exitLater", { code: "TERMINAL", message: "process.exit(3)" }],
  ["throwNull", { message: "null" }],
  ["throwUndefined", { message: "undefined" }],
  ["throwProxy", { message: "cannot be described" }],
  ["throwProxyOfError", { message: "cannot be described" }],
  ["throwFunction", { message: "a function was thrown" }],
  ["throwSymbol", { message: "Symbol(thrown)" }],
  ["rejectingThenable", { message: "from a thenable" }],
  ["throwingThenable", { message: "from its then" }],
  ["throwingGetter", { message: "cannot be described" }],
  ["circularCause", { message: "its cause is itself" }],
  ["returnExplosive", { message: "a trap of the proxy" }],
  ["neverSettles", { code: "TIMEOUT", message: "timeout of 200 ms" }],
  ["returnBigInt", { code: "PAYLOAD", message: "result.amount" }],
  ["returnDeep", { code: "PAYLOAD", message: "nested deeper than 64" }],
  ["returnBottomless", { code: "PAYLOAD", message: "nested deeper than 64" }],
  ["returnHuge", { code: "PAYLOAD", message: "more than 1048576" }],
  ["returnFunction", { code: "PAYLOAD", message: "result is a function" }],
  ["throwHuge", { message: "yyyy" }],
  ["throwNul", { message: "a NUL" }],
  ["stepInVain", { message: "in a step that nobody awaits" }],
  ["throwWhenAborted", { code: "TIMEOUT", message: "timeout of 200 ms" }],
  ["progressWrong", { code: "INVALID_ARGUMENT", message: "progress is 7" }],
];
const HARMLESS: [handler: string, result: unknown][] = [
  ["twiceThenable", "once"],
  ["returnProxy", { fine: true }],
  ["deferProxy", "deferred"],
  ["logProxy", "logged"],
  ["startsThrower", "FAILED"],
  // Its promise had been kept before it threw: nothing is left that could fail.
  ["throwAfterReturn", "returned"],
];

describe("bad handlers", () => {
  let place: Folder;
  let outcomes: Map<string, Outcome>;
  let bystanders: unknown;
  let sessions: unknown;
  let code: number | null;

  beforeAll(async () => {
    place = folder();
    await using bad = program("bad-handlers", place.store);
    const list = JSON.parse(await bad.says("outcomes")) as Outcome[];
    outcomes = new Map(list.map((outcome) => [outcome.name, outcome]));
    bystanders = JSON.parse(await bad.says("bystanders"));
    sessions = JSON.parse(await bad.says("sessions"));
    ({ code } = await bad.ended);
  });
  afterAll(() => place[Symbol.dispose]());

  test.each(FAILED)("%s fails its own task, once", (handler, { message, ...error }) => {
    expect(outcomes.get(handler)).toMatchObject({
      status: "FAILED",
      error: { ...error, message: expect.stringContaining(message) },
      attempt: 1,
      recoveries: 0,
      entered: 1,
      callbacks: ["cleanup SUCCEEDED", "error SUCCEEDED"],
    });
  });

  test.each(HARMLESS)("%s is harmless", (handler, result) => {
    expect(outcomes.get(handler)).toMatchObject({
      status: "SUCCEEDED",
      result,
      attempt: 1,
      recoveries: 0,
      entered: 1,
      callbacks: ["cleanup SUCCEEDED", "success SUCCEEDED"],
    });
  });

  test("all of them were asked", () => {
    expect(outcomes.size).toBe(FAILED.length + HARMLESS.length);
  });

  test("the healthy tasks beside them succeed", () => {
    expect(bystanders).toEqual(Array(20).fill("well"));
  });

  test("the worker survives, in its first session, and closes in peace", () => {
    expect(sessions).toEqual([{ same: true, ended: false }]);
    expect(code).toBe(0);
  });
});
