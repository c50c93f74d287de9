import { fork } from "node:child_process";
import { type MageFlowError, OutOfMemoryError, WorkerExitedError } from "../../core/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { type Isolate, isolate } from "./isolate.ts";

/** What V8 writes when the heap is full, before it aborts the process as anybody else might. */
const HEAP_IS_FULL = "JavaScript heap out of memory";
/** Its last words may take this long (ms) to come through; what it has started itself may keep a pipe open. */
const LAST_WORDS_MS = 500;

/**
 * Starts a process. Its first argument is the pid of this one, for its program; the task's module sees the arguments of this one, and what
 * it prints goes where this one prints.
 */
export function startProcess(entry: URL, maxMemoryMb: number | null, clock: Clock): Isolate {
  return isolate((hear) => {
    const child = fork(entry, [String(process.pid), ...process.argv.slice(2)], {
      serialization: "advanced",
      // Two processes cannot listen on the port of one debugger.
      execArgv: [
        ...process.execArgv.filter((option) => !option.startsWith("--inspect")),
        ...(maxMemoryMb === null ? [] : [`--max-old-space-size=${maxMemoryMb}`]),
      ],
      // Whoever runs this process may have put something in the place of what it prints to.
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    child.on("message", hear);
    child.stdout!.on("data", (words: Buffer) => void process.stdout.write(words));
    let tail = "";
    let full = false;
    const silent = new AbortController();
    const open = new Set(["stderr", "channel"]);
    const close = (line: string): void => {
      open.delete(line);
      if (open.size === 0) silent.abort("silent");
    };
    child.stderr!.on("data", (words: Buffer) => {
      process.stderr.write(words);
      tail = tail.slice(-HEAP_IS_FULL.length) + words.toString("latin1");
      full ||= tail.includes(HEAP_IS_FULL);
    });
    child.stderr!.once("close", () => close("stderr"));
    child.once("disconnect", () => close("channel"));
    const ended = new Promise<MageFlowError>((resolve) => {
      child.once("error", (error) => {
        if (child.pid === undefined) resolve(new WorkerExitedError("no process could be started", error));
      });
      child.once("exit", (code, signal) => {
        const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
        void clock.sleep(LAST_WORDS_MS, silent.signal).then(() => {
          resolve(
            full
              ? new OutOfMemoryError("process", maxMemoryMb)
              : new WorkerExitedError(`the process of the task (pid ${child.pid}) ended ${how}`),
          );
        });
      });
    });
    return {
      // Whoever is told that it has ended need not be told that it does not listen.
      post: (order) => void child.send(order, () => {}),
      kill: () => void child.kill("SIGKILL"),
      ended,
    };
  });
}
