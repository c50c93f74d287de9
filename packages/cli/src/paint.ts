import { styleText } from "node:util";
import type { Status } from "mageflow";

type Colour = "gray" | "dim" | "bold" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

const COLOURS: Readonly<Record<Status, Colour>> = {
  PENDING: "gray",
  READY: "blue",
  RUNNING: "cyan",
  WAITING: "yellow",
  SUSPENDED: "yellow",
  INTERRUPTED: "magenta",
  SUCCEEDED: "green",
  FAILED: "red",
  SKIPPED: "gray",
  CANCELLED: "gray",
};

/** True when colours may be sent to stdout. */
export function coloured(): boolean {
  return process.stdout.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

export function paint(colour: Colour, text: string): string {
  return coloured() ? styleText(colour, text, { validateStream: false }) : text;
}

export function paintStatus(status: Status): string {
  return paint(COLOURS[status], status);
}
