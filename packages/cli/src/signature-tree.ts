import type { SignatureView } from "mageflow";
import { paint, paintStatus } from "./paint.ts";
import { clip } from "./plain-text.ts";
import type { Tree } from "./read-subtree.ts";
import { shownLength } from "./screen.ts";
import { number, span } from "./span.ts";
import { statusNote } from "./status-note.ts";

/** How a tree is drawn. */
export interface Drawing {
  /** Columns that a line has; the reason of a failure is cut to what is left of them. */
  readonly width: number;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The command that goes on with the children of a signature. */
  readonly more: (id: string, cursor: string) => string;
}

/** Where less than this is left of a line, a reason gets one of its own. */
const LEAST_REASON = 30;
const MOST_REASON = 80;

/** What is inside a signature, a line each. Ids are whole, because they are what other commands take. */
export function insideLines({ inside, more, view }: Tree, drawing: Drawing, indent = ""): string[] {
  const last = more === null ? inside.length - 1 : -1;
  const lines = inside.flatMap((tree, at) => {
    const below = `${indent}${at === last ? "   " : "│  "}`;
    const nested = insideLines(tree, drawing, below);
    const branch = `${indent}${at === last ? "└─ " : "├─ "}`;
    return [...branchLines(tree.view, branch, nested.length > 0 ? `${below}│  ` : below, drawing), ...nested];
  });
  if (more === null) return lines;
  const count = more.count === null ? "" : `${number(more.count)} `;
  const how = drawing.more(view.id, more.cursor);
  return [...lines, `${indent}└─ ${paint("dim", `… ${count}more: ${how}`)}`];
}

function branchLines(view: SignatureView, branch: string, below: string, { width, now }: Drawing): string[] {
  const { id, key, name, status, startedAt, finishedAt, error } = view;
  const note = statusNote(view, now);
  const took = startedAt === null || finishedAt === null ? "" : span(finishedAt - startedAt);
  const parts = [
    `${branch}${paint("dim", clip(id, 400))}`,
    ...(key === null ? [] : [clip(key, 30)]),
    clip(name, 60),
    paintStatus(status),
    ...(note === "" ? [] : [paint("yellow", note)]),
    ...(took === "" ? [] : [paint("dim", took)]),
  ];
  const line = parts.join("  ");
  if (error === null) return [line];
  const left = width - shownLength(line) - 2;
  const reason = (room: number): string =>
    paint("red", clip(`${error.name}: ${error.message}`, Math.min(MOST_REASON, room)));
  if (left >= LEAST_REASON) return [`${line}  ${reason(left)}`];
  return [line, `${below}${reason(Math.max(LEAST_REASON, width - below.length))}`];
}
