import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { addAudit } from "./commands/audit.ts";
import { addCache } from "./commands/cache.ts";
import { addCancel } from "./commands/cancel.ts";
import { addDemo } from "./commands/demo.ts";
import { addGc } from "./commands/gc.ts";
import { addHelp, helpObject } from "./commands/help.ts";
import { addInterrupt } from "./commands/interrupt.ts";
import { addLock, addUnlock } from "./commands/lock.ts";
import { addLogs } from "./commands/logs.ts";
import { addDelete, addExtend, addRestore } from "./commands/marks.ts";
import { addPs } from "./commands/ps.ts";
import { addPurge } from "./commands/purge.ts";
import { addRerun } from "./commands/rerun.ts";
import { addResumeReport } from "./commands/resume-report.ts";
import { addRun } from "./commands/run.ts";
import { addShow } from "./commands/show.ts";
import { addResume, addSuspend } from "./commands/suspend-resume.ts";
import { addVerify } from "./commands/verify.ts";
import { addWorker } from "./commands/worker.ts";
import { DEFAULT_STORE } from "./open-store.ts";
import { printJson } from "./output.ts";

const { version } = createRequire(import.meta.url)("../package.json") as { version: string };

/** The whole command line. With `json` it prints no text by itself: see {@link printAsked}. */
export function buildProgram(json: boolean): Command {
  const program = new Command("mageflow")
    .description("Run, watch and steer MageFlow workflows.")
    .version(version, "-V, --version", "print the version")
    .option(
      "--store <url>",
      `database: sqlite:path, a path, postgres://host/name or mysql://host/name (default: MAGEFLOW_STORE, else ${DEFAULT_STORE})`,
    )
    .option(
      "--cache <url>",
      "cache in front of it: redis://host:6379 (default: MAGEFLOW_CACHE, else none)",
      (url: string) => (process.env["MAGEFLOW_CACHE"] = url),
    )
    .option("--json", "print one JSON object and nothing else on stdout; errors as JSON on stderr")
    .option("--verbose", "print whole results, and where errors come from")
    .helpCommand(false)
    .helpOption("-h, --help", "print help")
    .configureHelp({ showGlobalOptions: true })
    // Errors are printed in one place, together with all others.
    .configureOutput({ outputError: () => {}, ...(json ? { writeOut: () => {} } : {}) })
    .exitOverride()
    .addHelpText(
      "after",
      `
Getting started:
  npx mageflow demo                   see it at work
  npx mageflow run flow.ts            run the plan of your own module
  npx mageflow ps                     what is running, and what has run
  npx mageflow show <id>              one workflow, with what is inside
  npx mageflow help exit-codes        what the exit codes mean`,
    );
  for (const add of [
    addRun,
    addWorker,
    addPs,
    addShow,
    addLogs,
    addSuspend,
    addInterrupt,
    addResume,
    addRerun,
    addLock,
    addUnlock,
    addCancel,
    addDelete,
    addRestore,
    addExtend,
    addPurge,
    addGc,
    addAudit,
    addResumeReport,
    addVerify,
    addCache,
    addDemo,
    addHelp,
  ]) {
    add(program);
  }
  return program;
}

/** Prints for programs what --help or --version ask for, if that is why parsing has ended. */
export function printAsked(program: Command, ended: unknown, words: readonly string[]): void {
  if (!(ended instanceof CommanderError)) return;
  if (ended.code === "commander.version") printJson({ version });
  if (ended.code !== "commander.helpDisplayed") return;
  const command = program.commands.find(
    (one) => one.name() === words.find((word) => isCommand(program, word)),
  );
  printJson(helpObject(command ?? program));
}

function isCommand(program: Command, word: string): boolean {
  return program.commands.some((one) => one.name() === word);
}
