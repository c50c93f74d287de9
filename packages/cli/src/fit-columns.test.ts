import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { type Column, fitColumns } from "./fit-columns.ts";

const columns: Column[] = [
  { title: "ID", cells: ["1234567890"] },
  { title: "NAME", cells: ["a long name of a workflow"], least: 8 },
  { title: "KIND", cells: ["chain"] },
  { title: "STATUS", cells: ["\u001b[32mSUCCEEDED\u001b[39m"] },
  { title: "TAGS", cells: ["nightly,images"], least: 6 },
];

function drawn(width: number): string {
  const fitting = fitColumns(columns, ["KIND", "TAGS"], width);
  return stripVTControlCharacters(fitting.map(({ cells }) => cells[0]).join("  "));
}

test.each([
  [Number.POSITIVE_INFINITY, "1234567890  a long name of a workflow  chain  SUCCEEDED  nightly,images"],
  [71, "1234567890  a long name of a workflow  chain  SUCCEEDED  nightly,images"],
  [66, "1234567890  a long name of a workflow  chain  SUCCEEDED  nightly,…"],
  [50, "1234567890  a long name…  chain  SUCCEEDED  night…"],
  [45, "1234567890  a long name o…  SUCCEEDED  night…"],
  [35, "1234567890  a long name…  SUCCEEDED"],
  [10, "1234567890  a long …  SUCCEEDED"],
])("in %d columns", (width, line) => {
  expect(drawn(width)).toBe(line);
});
