import { expect, test } from "vitest";
import { table } from "./table.ts";

test("columns line up, wide characters included, and nothing trails", () => {
  const lines = table(
    ["ID", "NAME", "TAGS"],
    [
      ["1", "大小", "x"],
      ["22", "long name", ""],
    ],
  );
  expect(lines).toEqual(["ID  NAME       TAGS", "1   大小       x", "22  long name"]);
});
