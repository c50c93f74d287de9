import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A child process of a round. */
export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves with the first line that starts so, or with null when it ended before. */
  line(start: string): Promise<string | null>;
  /** Calls back at each line. */
  onLine(listener: (line: string) => void): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ code: number | null; signal: string | null; errors: string }>;
}

/** Starting takes a third of the time when the sources are compiled already; a killed process leaves nothing there. */
const COMPILED = join(tmpdir(), "mageflow-compile-cache");

/** `under` is the command line of a program that runs it, before its own. */
export function startChild(module: URL, args: readonly string[], under: readonly string[] = []): Child {
  const line = [...under, process.execPath, "--conditions=@mageflow/source", module.pathname, ...args];
  const child = spawn(line[0]!, line.slice(1), {
    stdio: ["pipe", "pipe", "pipe"],
    env: { NODE_COMPILE_CACHE: COMPILED, ...process.env },
  });
  // Writing to a process that has just been killed is no error here.
  child.stdin.on("error", () => {});
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const lines: string[] = [];
  const listeners = new Set<(line: string) => void>();
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => {
    lines.push(line);
    for (const listener of listeners) listener(line);
  });
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
    errors,
  }));
  return {
    pid: child.pid!,
    process: child,
    ended,
    onLine: (listener) => void listeners.add(listener),
    line: (start) =>
      new Promise((resolve) => {
        const found = lines.find((line) => line.startsWith(start));
        if (found !== undefined) return resolve(found);
        listeners.add((line) => {
          if (line.startsWith(start)) resolve(line);
        });
        void ended.then(() => resolve(null));
      }),
  };
}
