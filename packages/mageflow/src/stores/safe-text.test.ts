import fc from "fast-check";
import { expect, test } from "vitest";
import { fromSafe, toSafe } from "./safe-text.ts";

test("any text comes back, and can be stored meanwhile", () => {
  const text = fc
    .string({ unit: "binary" })
    .chain((one) => fc.constantFrom(one, `\0${one}\ud800`, `\u001a0000${one}\udc00\ud83d`));
  fc.assert(
    fc.property(text, (one) => {
      const safe = toSafe(one);
      expect(safe.includes("\0")).toBe(false);
      expect(safe.isWellFormed()).toBe(true);
      expect(fromSafe(safe)).toBe(one);
    }),
  );
});

test("ordinary texts are left as they are", () => {
  for (const text of ["", "abc", "\u{1f600} \n\t", '{"a":"\\u0000"}']) expect(toSafe(text)).toBe(text);
});
