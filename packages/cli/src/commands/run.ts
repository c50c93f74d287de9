import type { Command } from "commander";
import { type AnyPlan, type MageFlow, type Run, type Settled, type Worker } from "mageflow";
import { action, type Globals, wholeNumber } from "../action.ts";
import { commandLine } from "../command-line.ts";
import { EXIT, exitCodeOf } from "../exit-codes.ts";
import { startKeyed } from "../known-key.ts";
import { loadModule, requirePlan } from "../load-module.ts";
import { type GivenMessage, parseMessage } from "../message-option.ts";
import { printOutcome } from "../outcome.ts";
import { keepStdoutForJson, note, print, printJson, warn } from "../output.ts";
import { paintStatus } from "../paint.ts";
import { clip, quoting } from "../plain-text.ts";
import { watchProgress } from "../progress.ts";
import { requireRegistered } from "../registered.ts";
import { onSignals, type OnSignals } from "../signals.ts";
import { lastLogSeq } from "../tell-logs.ts";
import { startTelling } from "../telling.ts";
import { GRACE, LEASE } from "../worker-defaults.ts";

interface Options {
  readonly message?: GivenMessage;
  readonly key?: string;
  readonly concurrency: number;
  readonly worker: boolean;
  readonly quiet?: boolean;
  readonly logs?: boolean;
}

export function addRun(program: Command): void {
  program
    .command("run")
    .argument("<file>", "module that exports a MageFlow as `mage` and a plan as `plan` or default")
    .summary("run the plan of a module")
    .description(
      "Stores the plan of a module, runs it with a worker in this process, and prints its result when everything has ended, callbacks and cleanups " +
        "included. Ends with 1 when the workflow failed, with 5 when it was interrupted or cancelled.",
    )
    .option("-m, --message <json>", "input of the plan, as JSON", parseMessage)
    .option("-k, --key <key>", "idempotency key: the same key again gives the run that exists")
    .option("-c, --concurrency <n>", "attempts that run at once", wholeNumber(1), 100)
    .option("-q, --quiet", "do not tell of attempts that fail")
    .option("--logs", "tell what tasks log, too")
    .option("--no-worker", "only store and start it; workers elsewhere run it")
    .addHelpText("after", MODULE_HELP)
    .action(
      action<[string], Options>(async ([file], options) => {
        if (options.json) keepStdoutForJson();
        const loaded = await loadModule(file, options);
        const plan = requirePlan(loaded, file);
        const message = options.message === undefined ? loaded.message : options.message.value;
        const { mage } = loaded;
        if (options.worker) requireRegistered(mage, plan, file, options);
        try {
          return await start(mage, plan, message, options, file);
        } finally {
          await mage.close();
        }
      }),
    );
}

const MODULE_HELP = `
A module, say flow.ts:
  import { MageFlow, chain } from "mageflow";
  export const mage = new MageFlow();
  const greet = mage.task("greet", ({ name }: { name: string }) => "Hello " + name);
  export const plan = chain([greet]);

Run it:
  npx mageflow run flow.ts --message '{"name":"Ada"}'`;

async function start(
  mage: MageFlow,
  plan: AnyPlan,
  message: unknown,
  options: Options & Globals,
  file: string,
): Promise<number> {
  const { key, json } = options;
  const say = (line: string): void => warn(line, json);
  const logsAfter = options.logs === true && options.worker ? await lastLogSeq(mage) : null;
  const { run, known } = await startKeyed(mage, plan, message, key, quoting(json));
  if (known !== null) say(known);
  const { name } = await run.view();
  if (!options.worker) {
    const { status } = await run.status();
    if (json) printJson({ id: run.id, name, status });
    else print(`${paintStatus(status)}  ${clip(name, 100)}  ${run.id}`);
    return EXIT.ok;
  }
  if (!json) note(`mageflow: running "${clip(name, 100)}" as ${run.id}`);
  const worker = await mage.worker({ concurrency: options.concurrency, lease: LEASE, grace: GRACE });
  const progress = json ? { stop: () => {} } : watchProgress(mage, run);
  const goesOn = `${run.id} goes on when a worker runs: ${commandLine(["worker", file], options)}`;
  const telling = startTelling({
    mage,
    of: { run, since: known === null ? 0 : null },
    logsAfter,
    quiet: options.quiet === true,
    json,
  });
  const outcome = await settledOrStopped(run, worker, {
    gentle: (signal) => {
      progress.stop();
      say(`${signal}: finishing what runs, for at most ${GRACE}; again to stop at once`);
    },
    atOnce: () => say(`stopped at once; its tasks are taken over in ${LEASE}; ${goesOn}`),
  });
  await telling.end(outcome !== "stopped");
  progress.stop();
  if (outcome === "stopped") {
    const { status } = await run.status();
    if (json) printJson({ id: run.id, name, status });
    say(`stopped; ${goesOn}`);
    return EXIT.interrupted;
  }
  await printOutcome(run, name, outcome, options);
  return outcome.status === "SUCCEEDED" ? EXIT.ok : exitCodeOf(outcome.status);
}

/** Waits for the end of everything, or for a signal: then what runs gets the worker's grace to end. */
async function settledOrStopped(
  run: Run,
  worker: Worker,
  { gentle, atOnce }: Required<OnSignals>,
): Promise<Settled<unknown> | "stopped"> {
  let stop = (): void => {};
  const stopped = new Promise<"stopped">((resolve) => (stop = () => resolve("stopped")));
  const off = onSignals({
    gentle: (signal) => {
      gentle(signal);
      void worker.stop().then(stop, stop);
    },
    atOnce,
  });
  try {
    const settled = run.settled();
    // After a stop nobody waits for it any more.
    settled.catch(() => {});
    return await Promise.race([settled, stopped]);
  } finally {
    off();
  }
}
