import type { Command } from "commander";
import type { Duration } from "mageflow";
import { duration } from "./action.ts";
import { CommandError } from "./exit-codes.ts";

/** When something is to be removed, as it was typed. */
export interface DeletionTime {
  readonly after?: Duration;
  readonly at?: string;
  readonly timeZone?: string;
}

/** A date alone would be midnight in UTC, a date with a time is local: a time is asked for, so that there is one rule. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/;

export function withDeletionTime(command: Command): Command {
  return command
    .option("--after <duration>", "time from now, for example 12h or 7d", duration)
    .option("--at <time>", "instant, for example 2027-01-31T06:00Z; without a zone it is local time")
    .option("--time-zone <zone>", "zone of the time that --at gives, for example Europe/London")
    .hook("preAction", () => {
      const { at, timeZone } = command.opts<DeletionTime>();
      if (at !== undefined && timeZone === undefined) localInstant(at);
    });
}

/** One of the two, for the library. */
export function deletionTime({
  after,
  at,
  timeZone,
}: DeletionTime): { after: Duration } | { at: Date } | { at: string; timeZone: string } {
  if (after !== undefined && at === undefined && timeZone === undefined) return { after };
  if (at !== undefined && after === undefined)
    return timeZone === undefined ? { at: localInstant(at) } : { at, timeZone };
  throw new CommandError("USAGE", misgiven(after, at), HINT);
}

const HINT = "give either a span, as in --after 7d, or an instant, as in --at 2027-01-31T06:00Z";

function misgiven(after: Duration | undefined, at: string | undefined): string {
  if (after === undefined) return "it is not said when to remove it";
  return at === undefined ? "--after is the same in every --time-zone" : "--after and --at are both given";
}

function localInstant(text: string): Date {
  const at = new Date(INSTANT.test(text) ? text : Number.NaN);
  if (!Number.isNaN(at.getTime())) return at;
  throw new CommandError("USAGE", `--at is no instant: ${text}`, "write it as in --at 2027-01-31T06:00Z");
}
