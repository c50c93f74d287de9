import { CommandError } from "./exit-codes.ts";

/** What stands in `--message`: the option is an object also when this is null, which commander takes for no value. */
export interface GivenMessage {
  readonly value: unknown;
}

/** Reads `--message`. */
export function parseMessage(text: string): GivenMessage {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    throw new CommandError(
      "USAGE",
      `--message is not JSON: ${(error as Error).message}`,
      `quote it for the shell, as in --message '{"name":"Ada"}'`,
    );
  }
}
