import type { LogRow } from "mageflow";
import { paint } from "./paint.ts";
import { clip, plainText } from "./plain-text.ts";
import { instant } from "./span.ts";

const COLOURS = { debug: "gray", info: "blue", warn: "yellow", error: "red" } as const;

/** `2026-11-22 10:15:30.123Z info  message {"n":1}` on one line, whatever the message holds. */
export function logLine(row: LogRow, withId: boolean): string {
  const level = paint(COLOURS[row.level] ?? "gray", row.level.padEnd(5));
  const attempt = row.attempt > 1 ? paint("dim", ` #${row.attempt}`) : "";
  const id = withId ? ` ${paint("dim", clip(row.id, 200))}` : "";
  const fields = row.fields === null ? "" : ` ${paint("dim", plainText(row.fields))}`;
  return `${instant(row.at)} ${level}${id}${attempt} ${plainText(row.message)}${fields}`;
}

/** For programs, with the fields as an object. */
export function logObject({ fields, ...row }: LogRow): object {
  return { ...row, fields: fields === null ? null : (JSON.parse(fields) as unknown) };
}
