import { CommanderError } from "commander";
import {
  AlreadyRunningError,
  CancelledError,
  GoneError,
  IllegalTransitionError,
  InterruptedError,
  InvalidPlanError,
  LockedError,
  NotFoundError,
  PayloadError,
  StaleConfirmationError,
  StoreError,
  SwarmClosedError,
  UnknownTaskError,
  ValidationError,
  WorkflowFailedError,
} from "mageflow";
import { expect, test } from "vitest";
import { CommandError, EXIT_CODES, exitCodeOf } from "./exit-codes.ts";
import { describe as inWords } from "./report-error.ts";

test.each([
  [new WorkflowFailedError("1", "w", null), 1],
  [new InvalidPlanError("x"), 2],
  [new PayloadError("$", "x"), 2],
  [new ValidationError("x", []), 2],
  [new UnknownTaskError("x", []), 2],
  [new NotFoundError("1"), 4],
  [new IllegalTransitionError("1", "suspend", "FAILED", "x"), 5],
  [new AlreadyRunningError("1"), 5],
  [new SwarmClosedError("1", "x"), 5],
  [new GoneError("1", { at: 0, by: "x", action: "cancel", reason: null }), 4],
  [new LockedError("1", "x", 0), 5],
  [new StaleConfirmationError("x"), 5],
  [new InterruptedError("1"), 5],
  [new CancelledError("1"), 5],
  [new StoreError("STORE_BUSY", "x"), 6],
  [new StoreError("STORE_READ_ONLY", "x"), 6],
  [new StoreError("STORE_CORRUPT", "x"), 6],
  [new StoreError("STORE_FULL", "x"), 6],
  [new StoreError("STORE_NEWER", "x"), 6],
  [new StoreError("STORE_UNAVAILABLE", "x"), 6],
])("%o ends with %d", (error, code) => {
  expect(exitCodeOf(inWords(error).code)).toBe(code);
});

test("a code stands in one row of the table only", () => {
  const codes = EXIT_CODES.flatMap(({ errors }) => errors);
  expect(new Set(codes).size).toBe(codes.length);
});

test("usage errors are told without the parser's own words", () => {
  const error = new CommanderError(
    1,
    "commander.unknownCommand",
    "error: unknown command 'pss'\n(Did you mean ps?)",
  );
  expect(inWords(error)).toMatchObject({ code: "USAGE", message: "unknown command 'pss'; did you mean ps?" });
});

test("errors of the command say what to do, those of other copies of the library keep their code", () => {
  expect(inWords(new CommandError("FILE_NOT_FOUND", "gone", "look"))).toEqual({
    code: "FILE_NOT_FOUND",
    message: "gone",
    hint: "look",
  });
  const foreign = Object.assign(new Error("there is none"), { code: "NOT_FOUND" });
  expect(inWords(foreign).code).toBe("NOT_FOUND");
});

test("what a status does not allow comes with what can be done", () => {
  const running = new IllegalTransitionError("01jd", "purge", "RUNNING", "wait");
  expect(inWords(running, { store: "a.db" }).hint).toBe(
    "`npx mageflow show 01jd --store a.db` tells how it stands and what of it is open; `interrupt` stops it",
  );
  const stopped = new IllegalTransitionError("01jd.0", "suspend", "INTERRUPTED", "x");
  expect(inWords(stopped).hint).toMatch(/^`npx mageflow show 01jd.0` .*; `resume` lets it go on$/);
  const foreign = Object.assign(new Error("no"), { code: "ILLEGAL_TRANSITION" });
  expect(inWords(foreign).hint).toBe("`npx mageflow show <id>` tells how it stands and what of it is open");
  expect(inWords(new AlreadyRunningError("01jd")).hint).toMatch(/^`npx mageflow show 01jd` /);
});

test("anything can be thrown", () => {
  expect(inWords(new RangeError("odd"))).toMatchObject({ code: "UNEXPECTED", message: "RangeError: odd" });
  expect(inWords(null)).toMatchObject({ code: "UNEXPECTED", message: "null" });
});
