import type { Command } from "commander";
import type { Duration, WorkerOptions } from "mageflow";
import { action, commaList, duration, wholeNumber } from "../action.ts";
import { CommandError } from "../exit-codes.ts";
import { loadModule } from "../load-module.ts";
import { keepStdoutForJson, print, printJson, warn } from "../output.ts";
import { clip } from "../plain-text.ts";
import { lastLogSeq } from "../tell-logs.ts";
import { startTelling } from "../telling.ts";
import { onSignals } from "../signals.ts";
import { thirdOf } from "../third-of.ts";
import { GRACE, LEASE } from "../worker-defaults.ts";

interface Options {
  readonly concurrency: number;
  readonly tasks?: string[];
  readonly lease: Duration;
  readonly heartbeat?: Duration;
  readonly grace: Duration;
  readonly quiet?: boolean;
  readonly logs?: boolean;
}

export function addWorker(program: Command): void {
  program
    .command("worker")
    .argument("<file>", "module that exports a MageFlow as `mage`, with its tasks registered")
    .summary("run tasks until it is told to stop")
    .description(
      "Runs the tasks of a module until SIGINT or SIGTERM: then it takes nothing more, lets running tasks end for the grace, hands the rest to " +
        "other workers and ends with 0. A second signal ends it at once.",
    )
    .option("-c, --concurrency <n>", "attempts that run at once", wholeNumber(1), 100)
    .option("--tasks <names>", "only these tasks, with commas between them", commaList)
    .option(
      "--lease <duration>",
      "time without a heartbeat after which others take its tasks over",
      duration,
      LEASE,
    )
    .option("--heartbeat <duration>", "time between heartbeats; default a third of the lease", duration)
    .option("--grace <duration>", "time that running tasks get to end when it stops", duration, GRACE)
    .option("-q, --quiet", "do not tell of attempts that fail, here or on other workers")
    .option("--logs", "tell what tasks log, here or on other workers")
    .addHelpText(
      "after",
      "\nDurations are written 250ms, 5s, 2m, 1h or 7d.\n\nExample:\n  npx mageflow worker tasks.ts --concurrency 20 --tasks resize,publish",
    )
    .action(
      action<[string], Options>(async ([file], given) => {
        const { json, concurrency, tasks, lease, heartbeat, grace, quiet, logs } = given;
        if (json) keepStdoutForJson();
        const { mage } = await loadModule(file, given);
        if (mage.tasks.length === 0) {
          throw new CommandError(
            "FILE_INVALID",
            `${file} registers no task`,
            "register one with mage.task(name, function)",
          );
        }
        const options: WorkerOptions = {
          concurrency,
          lease,
          heartbeat: heartbeat ?? thirdOf(lease),
          grace,
          ...(tasks === undefined ? {} : { tasks }),
        };
        const say = (line: string): void => warn(line, json);
        let stop = (): void => {};
        const told = new Promise<void>((resolve) => (stop = resolve));
        const off = onSignals({
          gentle: (signal) => {
            say(`${signal}: finishing what runs, for at most ${grace}; again to stop at once`);
            stop();
          },
          atOnce: () => say(`stopped at once; other workers take its tasks over in ${lease}`),
        });
        try {
          const logsAfter = logs === true ? await lastLogSeq(mage) : null;
          const worker = await mage.worker(options);
          const names = tasks ?? mage.tasks;
          if (json)
            printJson({ ready: true, worker: worker.id, pid: process.pid, concurrency, tasks: names });
          else
            print(`worker ${worker.id} ready: ${clip(names.join(", "), 400)} (concurrency ${concurrency})`);
          const telling = startTelling({ mage, logsAfter, quiet: quiet === true, json });
          await told;
          await worker.stop();
          await telling.end(false);
        } finally {
          off();
          await mage.close();
        }
        return 0;
      }),
    );
}
