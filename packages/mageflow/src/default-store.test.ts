import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeFolder } from "./default-store.ts";

let place: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "mageflow-default-"));
});

afterEach(() => rmSync(place, { recursive: true }));

test("a folder that is made is kept out of version control", () => {
  makeFolder(join(place, "new"));
  expect(readFileSync(join(place, "new/.gitignore"), "utf8")).toBe("*\n");
});

test("a folder that is there is left as it is", () => {
  mkdirSync(join(place, "old"));
  makeFolder(join(place, "old"));
  expect(readdirSync(join(place, "old"))).toEqual([]);
});

test("a place where no folder can be is left to the store to complain of", () => {
  writeFileSync(join(place, "file"), "");
  expect(() => makeFolder(join(place, "file"))).not.toThrow();
  expect(() => makeFolder(join(place, "file/inside"))).not.toThrow();
});
