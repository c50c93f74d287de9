import { CommandError } from "./exit-codes.ts";

/** Reads `--message`. */
export function parseMessage(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new CommandError(
      "USAGE",
      `--message is not JSON: ${(error as Error).message}`,
      `quote it for the shell, as in --message '{"name":"Ada"}'`,
    );
  }
}
