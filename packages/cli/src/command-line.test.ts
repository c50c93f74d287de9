import { expect, test } from "vitest";
import { commandLine, typedValue, typedWith } from "./command-line.ts";

test("a command keeps the store, and a shell reads it as it was meant", () => {
  expect(commandLine(["show", "01.2"], undefined)).toBe("npx mageflow show 01.2");
  expect(commandLine(["show", "01.2"], "sqlite:my work.db")).toBe(
    "npx mageflow show 01.2 --store 'sqlite:my work.db'",
  );
  expect(commandLine(["worker", "it's.ts"], "")).toBe(
    String.raw`npx mageflow worker 'it'\''s.ts' --store ''`,
  );
});

test.each([
  [["show", "01"], "npx mageflow show 01 --limit 9"],
  [["show", "01", "--limit", "3", "--store", "a.db"], "npx mageflow show 01 --store a.db --limit 9"],
  [["show", "-l", "3", "01"], "npx mageflow show 01 --limit 9"],
  [["show", "--limit=3", "-l3", "01"], "npx mageflow show 01 --limit 9"],
])("of %j everything stays but the option that is set anew", (typed, line) => {
  expect(typedWith(typed, ["--limit", "-l"], "9")).toBe(line);
});

test("an option is found among words that are not parsed", () => {
  expect(typedValue(["ps", "--store", "a.db"], "--store")).toBe("a.db");
  expect(typedValue(["ps", "--store=b.db"], "--store")).toBe("b.db");
  expect(typedValue(["ps", "--store"], "--store")).toBeUndefined();
  expect(typedValue(["ps"], "--store")).toBeUndefined();
});
