import { expect, test } from "vitest";
import { table } from "./table.ts";

test("columns line up, wide characters included, and nothing trails", () => {
  const lines = table([
    { title: "ID", cells: ["1", "22"] },
    { title: "NAME", cells: ["大小", "long name"] },
    { title: "TAGS", cells: ["x", ""] },
  ]);
  expect(lines).toEqual(["ID  NAME       TAGS", "1   大小       x", "22  long name"]);
});
