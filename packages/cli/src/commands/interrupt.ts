import type { Command } from "commander";
import type { Duration } from "mageflow";
import { duration } from "../action.ts";
import { addVerb } from "../steered.ts";
import { GRACE } from "../worker-defaults.ts";

interface InterruptOptions {
  readonly reason?: string;
  readonly grace: Duration;
}

export function addInterrupt(program: Command): void {
  addVerb<InterruptOptions>(program, {
    verb: "interrupt",
    summary: "stop it, whatever its status, and keep it",
    about:
      "Stops it and keeps it: nothing in it starts any more, what runs is told by its signal and gets the grace to end by itself, after which " +
      "nothing that it still does has an effect. Its cleanups run. Ends when it has stopped; `resume` lets it go on.",
    options: (command) =>
      command
        .option("-r, --reason <text>", "why, for those who find it stopped")
        .option("--grace <duration>", "time that running tasks get to end by themselves", duration, GRACE),
    apply: (run, { reason, grace }) => run.interrupt({ grace, ...(reason === undefined ? {} : { reason }) }),
  });
}
