import type { Command } from "commander";
import { type GivenMessage, parseMessage } from "../message-option.ts";
import { addVerb } from "../steered.ts";

interface RerunOptions {
  readonly message?: GivenMessage;
}

export function addRerun(program: Command): void {
  addVerb<RerunOptions>(program, {
    verb: "rerun",
    id: "id of a workflow",
    summary: "begin again what has ended",
    about:
      "Begins a workflow that has ended with all its callbacks again, from its first step, in its next generation, when a worker runs it. Takes a " +
      "mark of deletion away.",
    options: (command) =>
      command.option(
        "-m, --message <json>",
        "input in the place of the one that it was given, as JSON",
        parseMessage,
      ),
    apply: (run, { message }) => run.rerun(message?.value),
  });
}
