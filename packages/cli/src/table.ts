import Table from "cli-table3";
import { coloured, paint } from "./paint.ts";

/** Lines of rows in columns, without a frame around them: easy to read, and easy to cut with other tools. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
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
    head.map((title) => (coloured() ? paint("dim", title) : title)),
    ...rows.map((row) => [...row]),
  );
  return drawn
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}
