import type { Command } from "commander";
import type { Run } from "mageflow";
import { action } from "../action.ts";
import { commandLine } from "../command-line.ts";
import { withStore } from "../open-store.ts";
import { print, printJson } from "../output.ts";
import { paint, paintStatus } from "../paint.ts";
import { clip } from "../plain-text.ts";

export function addSuspend(program: Command): void {
  const about = "What has not started does not start; what runs, ends. Suspending again changes nothing.";
  addVerb(program, "suspend", "keep what has not started from starting", about, (run) => run.suspend());
}

export function addResume(program: Command): void {
  const about = "Goes on where it was suspended. Resuming what is not suspended changes nothing.";
  addVerb(program, "resume", "go on where it was suspended", about, (run) => run.resume());
}

function addVerb(
  program: Command,
  verb: string,
  summary: string,
  about: string,
  apply: (run: Run) => Promise<unknown>,
): void {
  program
    .command(verb)
    .argument("<id>", "id of a workflow, or of a part of one")
    .summary(summary)
    .description(about)
    .action(
      action<[string]>(async ([id], options) =>
        withStore(options.store, async (mage) => {
          const run = await mage.get(id);
          await apply(run);
          const [{ name }, { status, heldBy }] = await Promise.all([run.view(), run.status()]);
          if (options.json) printJson({ id, name, status, heldBy });
          else {
            print(`${paintStatus(status)}  ${clip(name, 100)}  ${clip(id, 400)}`);
            if (heldBy !== null)
              print(paint("dim", `held by a suspension: ${commandLine(["resume", heldBy], options.store)}`));
          }
          return 0;
        }),
      ),
    );
}
