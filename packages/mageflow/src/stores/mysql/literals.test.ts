import { describe, expect, test } from "vitest";
import { fill, list, rows } from "./literals.ts";

describe("a statement", () => {
  test("has its values in the places of their numbers, however often, and whatever is in them", () => {
    const sql = fill("SELECT $1, $2 WHERE a = $1 AND b IN $3 AND c IS $4", ["$2", 7, list(["x", "y"]), null]);
    expect(sql).toBe("SELECT '$2', 7 WHERE a = '$2' AND b IN ('x','y') AND c IS NULL");
  });

  test("takes no text for anything else", () => {
    expect(fill("$1", ["it's \\ \0 \"\n;--"])).toBe("'it\\'s \\\\ \\0 \"\n;--'");
  });

  test("takes no number that it would write as something else", () => {
    for (const value of [0.5, NaN, Infinity, 2 ** 53])
      expect(() => fill("$1", [value])).toThrow("constraint");
    expect(fill("$1, $2", [-7, true])).toBe("-7, 1");
  });
});

test("nothing is in an empty list", () => {
  expect(list([]).sql).toBe("(NULL)");
});

describe("rows", () => {
  test("that are few are one list", () => {
    const made = rows([
      ["a", 1],
      ["b", null],
    ]);
    expect(made.map(({ sql }) => sql)).toEqual(["('a',1),('b',NULL)"]);
    expect(rows([])).toEqual([]);
  });

  test("that are many are several, and one that is too large is alone", () => {
    const large = "x".repeat(300_000);
    const lengths = rows([["a"], [large], ["b"], ["c"]]).map(({ sql }) => sql.length);
    expect(lengths).toEqual(["('a')".length, large.length + 4, "('b'),('c')".length]);
  });
});
