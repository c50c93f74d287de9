import { expect, test } from "vitest";
import { commandLine, typedValue, typedWith, withoutPassword } from "./command-line.ts";

test("a command keeps the store, and a shell reads it as it was meant", () => {
  expect(commandLine(["show", "01.2"], {})).toBe("npx mageflow show 01.2");
  expect(commandLine(["show", "01.2"], { store: "sqlite:my work.db" })).toBe(
    "npx mageflow show 01.2 --store 'sqlite:my work.db'",
  );
  expect(commandLine(["worker", "it's.ts"], { store: "" })).toBe(
    String.raw`npx mageflow worker 'it'\''s.ts' --store ''`,
  );
});

test("a command keeps the cache, and no password", () => {
  const given = {
    store: "postgres://ada:secret@host/flows?schema=mine",
    cache: "redis://:secret@host:6379/1",
  };
  expect(commandLine(["ps"], given)).toBe(
    "npx mageflow ps --store 'postgres://ada@host/flows?schema=mine' --cache redis://host:6379/1",
  );
  expect(typedWith(["ps", "--store=mysql://ada:secret@host/flows"], ["--cursor"], "c")).toBe(
    "npx mageflow ps --store=mysql://ada@host/flows --cursor c",
  );
});

test.each([
  ["postgres://ada@host:5432/flows", "postgres://ada@host:5432/flows"],
  ["postgres://ada:s/ec:r@et@host/flows", "postgres://ada@host/flows"],
  [
    "postgres://host/flows?user=ada&password=secret&schema=x",
    "postgres://host/flows?user=ada&password=&schema=x",
  ],
  ["file:///c:/a@b.db", "file:///c:/a@b.db"],
  ["sqlite:a:b@c.db", "sqlite:a:b@c.db"],
])("%s is shown as %s", (url, shown) => {
  expect(withoutPassword(url)).toBe(shown);
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
