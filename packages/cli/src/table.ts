import Table from "cli-table3";
import type { Column } from "./fit-columns.ts";
import { coloured, paint } from "./paint.ts";

/** Lines of rows in columns, without a frame around them: easy to read, and easy to cut with other tools. */
export function table(columns: readonly Column[]): string[] {
  const rows = columns[0]?.cells.map((_, row) => columns.map(({ cells }) => cells[row] ?? "")) ?? [];
  const drawn = new Table({
    chars: {
      top: "",
      "top-mid": "",
      "top-left": "",
      "top-right": "",
      bottom: "",
      "bottom-mid": "",
      "bottom-left": "",
      "bottom-right": "",
      left: "",
      "left-mid": "",
      mid: "",
      "mid-mid": "",
      right: "",
      "right-mid": "",
      middle: "  ",
    },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  drawn.push(
    columns.map(({ title }) => (coloured() ? paint("dim", title) : title)),
    ...rows,
  );
  return drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}
