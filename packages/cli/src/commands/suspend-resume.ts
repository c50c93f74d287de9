import type { Command } from "commander";
import { addVerb } from "../steered.ts";

export function addSuspend(program: Command): void {
  addVerb(program, {
    verb: "suspend",
    summary: "keep what has not started from starting",
    about: "What has not started does not start; what runs, ends. Suspending again changes nothing.",
    apply: (run) => run.suspend(),
  });
}

export function addResume(program: Command): void {
  addVerb(program, {
    verb: "resume",
    summary: "go on where it was suspended or interrupted",
    about:
      "Goes on where it was suspended or interrupted. What was interrupted goes on in its next generation, from its checkpoints and finished " +
      "steps, and it is told whether all that ran had ended by itself. Tasks inside that were parked, because their worker was lost, go on too; " +
      "what was interrupted by itself stays. Resuming what is none of these changes nothing.",
    apply: async (run, _, { interrupted }) => {
      const { clean } = await run.resume();
      return { fields: { clean }, lines: interrupted === null && clean ? [] : [cleanLine(clean)] };
    },
  });
}

function cleanLine(clean: boolean): string {
  return clean
    ? "clean: all that ran had ended by itself"
    : "not clean: code of it has not ended by itself and may still go on somewhere; what it does there has no effect here";
}
