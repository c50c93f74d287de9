import { describe, expect, test } from "vitest";
import {
  GoneError,
  InterruptedError,
  TimeoutError,
  ValidationError,
  WorkflowFailedError,
} from "../../core/errors.ts";
import { carriedError, revivedError } from "./carried-error.ts";

function overTheBoundary(error: unknown): Error {
  return revivedError(structuredClone(carriedError(error)));
}

describe("an error over the boundary", () => {
  test.each([
    new TimeoutError("late"),
    new InterruptedError("01jd", "by hand"),
    new ValidationError("the input", [{ path: "$.n", message: "no number" }]),
    new GoneError("01jd", { at: 1, by: "ada", action: "delete", reason: null }),
    new WorkflowFailedError("01jd", "task", {
      name: "Error",
      message: "no",
      attempts: 1,
      path: [{ id: "01jd", name: "task", kind: "task", slot: 0 }],
    }),
  ])("is what it was: %s", (error) => {
    const revived = overTheBoundary(error);
    expect(revived.constructor).toBe(error.constructor);
    expect(new Map(Object.entries(revived))).toEqual(new Map(Object.entries(error)));
    expect([revived.message, revived.stack]).toEqual([error.message, error.stack]);
    expect((revived.cause as Error | undefined)?.message).toBe((error.cause as Error | undefined)?.message);
  });

  test("keeps name, message, code and cause of any other class", () => {
    const error = Object.assign(new RangeError("far", { cause: new Error("why") }), { code: "E_FAR" });
    const revived = overTheBoundary(error);
    expect(revived).toMatchObject({ name: "RangeError", message: "far", code: "E_FAR" });
    expect(revived.cause).toMatchObject({ message: "why" });
  });

  test("is one, whatever was thrown", () => {
    expect(overTheBoundary(null)).toMatchObject({ message: "null was thrown" });
    expect(overTheBoundary(Object.assign(new Error("x"), { name: "describeThrown" }))).toBeInstanceOf(Error);
  });
});
