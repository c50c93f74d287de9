import { existsSync, writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

/** Preloaded into processes of tasks: each says that it starts, and does not go on before the file of this name is there. */
const gate = process.env["HELD_START"];
if (gate !== undefined && isMainThread && process.send !== undefined) hold("starts", gate);

/** Says it at once, by the worker's stdout, and blocks. */
export function hold(word: string, until: string): void {
  writeSync(1, `${word} ${process.pid}\n`);
  const nobodyRings = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  while (!existsSync(until)) Atomics.wait(nobodyRings, 0, 0, 10);
}
