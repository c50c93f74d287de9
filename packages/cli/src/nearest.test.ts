import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

test("finds a slip, and no more than that", () => {
  const words = ["run", "resume", "suspend", "exit-codes"];
  expect(nearest("resmue", words)).toBe("resume");
  expect(nearest("exit-code", words)).toBe("exit-codes");
  expect(nearest("ru", words)).toBe("run");
  expect(nearest("workflow", words)).toBeNull();
});
