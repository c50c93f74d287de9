import { clip } from "./plain-text.ts";
import { shownLength } from "./screen.ts";

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly cells: readonly string[];
  /** May be cut down to this many characters. Cells that are cut are plain text. */
  readonly least?: number;
}

/** Between two columns. */
const GAP = 2;

/**
 * Columns that fit into a width: those with a `least` are cut, the last first; when that is not enough, the columns of `optional` are
 * left out one after the other.
 */
export function fitColumns(
  columns: readonly Column[],
  optional: readonly string[],
  width: number,
): readonly Column[] {
  const [first, ...others] = optional;
  const least = widthOf(columns, (column) => Math.min(column.least ?? Infinity, natural(column)));
  if (least > width && first !== undefined) {
    return fitColumns(
      columns.filter(({ title }) => title !== first),
      others,
      width,
    );
  }
  let excess = widthOf(columns, natural) - width;
  return columns
    .toReversed()
    .map((column) => {
      const wide = natural(column);
      if (excess <= 0 || column.least === undefined || wide <= column.least) return column;
      const most = Math.max(column.least, wide - excess);
      excess -= wide - most;
      return { ...column, cells: column.cells.map((cell) => clip(cell, most)) };
    })
    .toReversed();
}

function natural({ title, cells }: Column): number {
  return Math.max(title.length, ...cells.map(shownLength));
}

function widthOf(columns: readonly Column[], wide: (column: Column) => number): number {
  return columns.reduce((sum, column) => sum + wide(column) + GAP, -GAP);
}
