import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { startChild } from "../chaos/process.ts";

/** Tells of the calls of a process, and kills it at one of them. Linux only; not everywhere installed, nor allowed. */
const STRACE = "strace";

/** True where processes can be traced. */
export function canTrace(): boolean {
  return spawnSync(STRACE, ["-f", "-o", "/dev/null", "true"]).status === 0;
}

/** A folder in which the workload runs: the store, its diary, and the trace. */
export interface Place {
  readonly file: string;
  /** Of the store: all in which anything is kept. What else there is SQLite makes anew. */
  readonly files: readonly string[];
  readonly diary: string;
  readonly trace: string;
}

export function placeIn(folder: string): Place {
  const file = join(folder, "store.db");
  return {
    file,
    files: [file, `${file}-journal`, `${file}-wal`],
    diary: join(folder, "diary.jsonl"),
    trace: join(folder, "trace.txt"),
  };
}

/**
 * Runs the workload under strace. False when it was killed.
 *
 * @throws Error when it ended in another way.
 */
export async function runWorkload(
  { file, diary, trace }: Place,
  traced: readonly string[],
): Promise<boolean> {
  const module = new URL("./workload-process.ts", import.meta.url);
  const child = startChild(module, [`sqlite:${file}`, diary], [STRACE, ...traced, "-o", trace]);
  const { code, signal, errors } = await child.ended;
  if (signal === "SIGKILL") return false;
  if (code !== 0) throw new Error(`the workload ended with ${code ?? signal}: ${errors}`);
  return true;
}
