import type { Command } from "commander";
import { action } from "../action.ts";
import { withStore } from "../open-store.ts";
import { print, printJson } from "../output.ts";
import { paint } from "../paint.ts";
import { clip } from "../plain-text.ts";
import { underLock } from "../under-lock.ts";

interface PurgeOptions {
  readonly reason?: string;
  readonly stub?: boolean;
  readonly abandonCleanups?: boolean;
}

export function addPurge(program: Command): void {
  program
    .command("purge")
    .argument("<id>", "id of a workflow of which nothing is open")
    .summary("remove a workflow now")
    .description(
      "Removes a workflow that has ended, was interrupted or has never started, with everything that is stored of it: records, callbacks, results, checkpoints, logs. " +
        "Of one that was cancelled and whose cleanups do not end it is done with --abandon-cleanups: they are given up, and release nothing any more. " +
        "A tombstone answers those who ask for it later, and the audit trail tells who did it. There is no way back; `delete` has one.",
    )
    .option("-r, --reason <text>", "why, for those who ask for it later")
    .option("--stub", "keep how it went, without inputs, results and logs, for `show`")
    .option("--abandon-cleanups", "give up the cleanups of a workflow that was cancelled")
    .action(
      action<[string], PurgeOptions>(
        async ([id], { store, json, reason, stub = false, abandonCleanups = false }) =>
          withStore(store, async (mage) => {
            const run = await mage.get(id, underLock());
            const { name } = await run.view();
            await run.purgeNow({ stub, abandonCleanups, ...(reason === undefined ? {} : { reason }) });
            if (json) printJson({ id, name, removed: true });
            else print(`${paint("gray", "removed")}  ${clip(name, 100)}  ${clip(id, 400)}`);
            return 0;
          }),
      ),
    );
}
