import { styleText } from "node:util";
import type { ShownStatus } from "mageflow";

type Colour = "gray" | "dim" | "bold" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan";

const COLOURS: Readonly<Record<ShownStatus, Colour>> = {
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
  MARKED_FOR_DELETION: "yellow",
};

/** True when colours may be sent to stdout. */
export function coloured(): boolean {
  return process.stdout.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

export function paint(colour: Colour, text: string): string {
  return coloured() ? styleText(colour, text, { validateStream: false }) : text;
}

export function paintStatus(status: ShownStatus): string {
  return paint(COLOURS[status], status);
}
