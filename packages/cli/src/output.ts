import { stripVTControlCharacters } from "node:util";
import { plainJson, terminalSafe } from "./plain-text.ts";

/** One line for people on stdout. */
export function print(line = ""): void {
  process.stdout.write(`${terminalSafe(line)}\n`);
}

/** What stdout is to this command, whatever is put in its place for others. */
const stdout = process.stdout.write.bind(process.stdout);

/** One JSON value on a line of stdout, for programs. */
export function printJson(value: unknown): void {
  stdout(`${plainJson(value)}\n`);
}

/**
 * From here on stdout is for {@link printJson} alone. What a user's module and its tasks print goes to stderr, from isolates too; only
 * what is written to the file descriptor itself, as by a command that a task runs with the stdout of this process, cannot be kept off.
 */
export function keepStdoutForJson(): void {
  process.stdout.write = process.stderr.write.bind(process.stderr);
}

/** One line for people on stderr: what stdout is piped into never sees it. */
export function note(line: string): void {
  // Colours are chosen by stdout, which may be a terminal while this goes to a file.
  const shown = process.stderr.isTTY ? line : stripVTControlCharacters(line);
  process.stderr.write(`${terminalSafe(shown)}\n`);
}

/** Something to know that ends nothing, on stderr: a line, or for programs an object on a line. */
export function warn(message: string, json: boolean): void {
  if (json) process.stderr.write(`${plainJson({ warning: message })}\n`);
  else note(`mageflow: ${message}`);
}

/** Resolves when what was printed has left the process. */
export async function flushed(): Promise<void> {
  if (!process.stdout.destroyed) await new Promise<void>((resolve) => void stdout("", () => resolve()));
  if (!process.stderr.destroyed)
    await new Promise<void>((resolve) => void process.stderr.write("", () => resolve()));
}

/** A reader that has seen enough (`mageflow logs … | head`) ends the command without a word. */
export function endWithReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
}
