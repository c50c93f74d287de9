import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Duration, Run, RunLock } from "mageflow";
import { CommandError } from "./exit-codes.ts";
import { isGone } from "./is-gone.ts";
import { warn } from "./output.ts";
import { pause } from "./pause.ts";
import { describe } from "./report-error.ts";
import { LOCK_VARIABLE } from "./under-lock.ts";

interface Holding {
  readonly run: Run;
  readonly lock: RunLock;
  /** How long the lock outlives this process. */
  readonly time: Duration;
  /** The command and its arguments. */
  readonly words: readonly string[];
  readonly json: boolean;
  readonly store: string | undefined;
}

/**
 * Runs a command while a lock is held, and gives the lock back. Returns the command's exit code, by the custom of shells when a signal has
 * ended it. It is told to stop when somebody else has got the lock, which takes that this process stood still for longer than its time.
 *
 * @throws CommandError (`FILE_NOT_FOUND`) when there is no such command.
 */
export async function hold(holding: Holding): Promise<number> {
  const { lock, words, json, store } = holding;
  const [file, ...args] = words;
  const over = new AbortController();
  const child = spawn(file!, args, {
    // With --json stdout has one object on it, and nothing else.
    stdio: ["inherit", json ? 2 : "inherit", "inherit"],
    env: {
      ...process.env,
      [LOCK_VARIABLE]: lock.token,
      ...(store === undefined ? {} : { MAGEFLOW_STORE: store }),
    },
  });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  // A terminal sends its own to both.
  const wait = (): void => {};
  process.on("SIGTERM", pass).on("SIGHUP", pass).on("SIGINT", wait);
  const kept = keep(holding, child, over.signal);
  try {
    return await exitCodeOf(child, file!);
  } finally {
    process.off("SIGTERM", pass).off("SIGHUP", pass).off("SIGINT", wait);
    over.abort();
    await kept;
    await lock.release();
  }
}

function exitCodeOf(child: ChildProcess, file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      const hint = "give a program and its arguments behind --; for a line of shell: -- sh -c '…'";
      reject(
        new CommandError("FILE_NOT_FOUND", `"${file}" cannot be run: ${cause.message}`, hint, { cause }),
      );
    });
    child.once("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  });
}

/** Gives the lock its whole time again and again, until the signal is aborted. */
async function keep({ run, time, json }: Holding, child: ChildProcess, signal: AbortSignal): Promise<void> {
  for (;;) {
    await pause(Math.max(50, milliseconds(time) / 3), signal);
    if (signal.aborted) return;
    try {
      await run.lock({ for: time });
    } catch (error) {
      // The command itself has removed it.
      if (isGone(error)) return;
      const { code, message } = describe(error);
      warn(`the lock could not be kept: ${message}`, json);
      if (code !== "LOCKED") continue;
      child.kill();
      return;
    }
  }
}

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Of a duration that the command line has read; a timer waits an hour at most. */
function milliseconds(time: Duration): number {
  const [, amount, unit] = /^([\d.]+)(ms|s|m|h|d)$/.exec(String(time))!;
  return Math.min(UNITS.h, Number(amount) * UNITS[unit as keyof typeof UNITS]);
}
