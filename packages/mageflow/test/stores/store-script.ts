import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

/** A store that is not opened yet. */
export interface StorePlace {
  /** The module whose `openStore` makes it. */
  readonly index: string;
  readonly url: string;
}

/** Runs a script that has the store at a place, as `store`, in a process of its own. */
export function runScript(script: string, at: StorePlace): Promise<unknown> {
  return promisify(execFile)(process.execPath, argumentsOf(script, at), { cwd: import.meta.dirname });
}

/** Six processes open the store at once, and each writes a spec. */
export async function openAtOnce(at: StorePlace): Promise<void> {
  await Promise.all(
    Array.from({ length: 6 }, (_, n) =>
      runScript(
        `await store.open();
         await store.transact((tx) => tx.write({ specs: [{ rootId: "${n}", id: "1", body: "{}" }] }));
         await store.close();`,
        at,
      ),
    ),
  );
}

/** The same as {@link runScript}, killed at the end of its block. */
export function spawnScript(
  script: string,
  at: StorePlace,
): ChildProcessByStdio<null, Readable, null> & Disposable {
  const child = spawn(process.execPath, argumentsOf(script, at), {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: import.meta.dirname,
  });
  return Object.assign(child, { [Symbol.dispose]: () => void child.kill("SIGKILL") });
}

function argumentsOf(script: string, { index, url }: StorePlace): string[] {
  const whole = `import { openStore } from ${JSON.stringify(index)};
    const store = openStore(process.argv[1]);
    ${script}`;
  return ["--conditions=@mageflow/source", "--input-type=module", "--eval", whole, url];
}
