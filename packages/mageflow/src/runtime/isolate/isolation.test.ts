import { describe, expect, test } from "vitest";
import { isolationOf } from "./isolation.ts";

const module = "file:///flow.ts";

describe("isolation", () => {
  test("is none unless asked for", () => {
    expect(isolationOf("a", {})).toBeNull();
    expect(isolationOf("a", { isolation: "inline", module })).toBeNull();
  });

  test("names where the code is found", () => {
    expect(isolationOf("a", { isolation: "thread", module })).toEqual({
      kind: "thread",
      module,
      maxMemoryMb: null,
    });
    expect(isolationOf("a", { isolation: "process", module, maxMemoryMb: 256 })).toEqual({
      kind: "process",
      module,
      maxMemoryMb: 256,
    });
  });

  test.each([
    [{ isolation: "fiber" as never }, '"fiber"'],
    [{ isolation: "thread" as const }, "module is undefined"],
    [{ isolation: "process" as const, module: "flow.ts" }, 'module is "flow.ts"'],
    [{ isolation: "process" as const, module, maxMemoryMb: 0.5 }, "maxMemoryMb"],
    [{ maxMemoryMb: 256 }, "shares its memory"],
  ])("is refused as %j", (asked, why) => {
    expect(() => isolationOf("a", asked)).toThrow(
      expect.objectContaining({ code: "INVALID_PLAN", message: expect.stringContaining(why) }),
    );
  });
});
