import { CommandError } from "./exit-codes.ts";
import { reportError } from "./report-error.ts";

/** What the command line was told, as far as an error is told by it. */
type Told = Parameters<typeof reportError>[1];

/** Loads a module by `load`, and says so when the process ends before it is loaded: with exit code 2, whatever code the module gave. */
export async function sayingWhenItEnds<T>(path: string, told: Told, load: () => Promise<T>): Promise<T> {
  const onExit = (code: number): void => {
    process.exitCode = reportError(endedProcess(path, code), told);
  };
  // Nothing is left to be done that could resolve what the module awaits. Node would tell of its own await of the module.
  const onIdle = (): void => {
    process.off("exit", onExit);
    process.exit(reportError(neverLoaded(path), told));
  };
  process.once("exit", onExit);
  process.once("beforeExit", onIdle);
  try {
    return await load();
  } finally {
    process.off("exit", onExit);
    process.off("beforeExit", onIdle);
  }
}

function neverLoaded(path: string): CommandError {
  return new CommandError(
    "FILE_INVALID",
    `${path} is never loaded: it awaits something at its top level that does not come`,
    "await inside tasks, or what comes",
  );
}

function endedProcess(path: string, code: number): CommandError {
  return new CommandError(
    "FILE_INVALID",
    `${path} ended the process with exit code ${code} while it was loaded`,
    "take process.exit() out of what runs when the file is imported",
  );
}
