import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { describeLocation, locate } from "./location.ts";

describe("locate", () => {
  test.for([
    ["sqlite:data/flows.db", resolve("data/flows.db")],
    ["sqlite:/var/lib/flows.db", "/var/lib/flows.db"],
    ["sqlite:///var/lib/flows.db", "/var/lib/flows.db"],
    ["file:data/flows.db", resolve("data/flows.db")],
    ["file:///var/lib/my%20flows.db", "/var/lib/my flows.db"],
    ["data/flows.db", resolve("data/flows.db")],
    ["/var/lib/flows.db", "/var/lib/flows.db"],
    ["/var/lib/100%25?.db", "/var/lib/100%25?.db"],
  ])("%s is the file %s", ([url, path]) => {
    expect(locate(url!)).toBe(path);
  });

  test.for([":memory:", "sqlite::memory:"])("%s is no file", (url) => {
    expect(locate(url)).toBeNull();
    expect(describeLocation(locate(url))).toBe("SQLite in memory");
  });

  test("a URL that names nothing is refused", () => {
    expect(() => locate("sqlite:")).toThrow("names no file");
  });
});
