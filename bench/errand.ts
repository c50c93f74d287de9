import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { watchLoop } from "./loop-delay.ts";

interface Asked {
  readonly errand: string;
  readonly with: object;
}

/** The most that a process used and the longest that its event loop was held. */
export interface Peaks {
  readonly peakRssMb: number;
  readonly maxEventLoopDelayMs: number;
}

/** A process that does one thing after the other, as it is told. */
export interface Errands {
  do<T>(errand: string, details?: object): Promise<T>;
  /** What it has used, with its end. */
  end(): Promise<Peaks>;
}

export async function startProcess(module: string, args: readonly string[]): Promise<Errands> {
  const child: ChildProcess = fork(new URL(module, import.meta.url), args);
  const ended = once(child, "exit");
  const heard = async <T>(): Promise<T> => {
    const answer = once(child, "message").then(([message]) => ({ message: message as T }));
    const first = await Promise.race([answer, ended.then(() => null)]);
    if (first === null) throw new Error(`${module} ended before it had answered`);
    return first.message;
  };
  await heard();
  const tell = <T>(errand: string, details: object): Promise<T> => {
    child.send({ errand, with: details } satisfies Asked);
    return heard<T>();
  };
  return {
    do: (errand, details = {}) => tell(errand, details),
    end: async () => {
      const peaks = await tell<Peaks>("end", {});
      await ended;
      return peaks;
    },
  };
}

/** The other side: answers until it is told to end. */
export async function runErrands(
  errands: Readonly<Record<string, (details: never) => Promise<unknown>>>,
): Promise<void> {
  const loop = watchLoop();
  // Whoever gives the errands may end in the middle of one.
  const orphaned = (): never => process.exit(1);
  process.once("disconnect", orphaned);
  process.send!("ready");
  for (;;) {
    const [{ errand, with: details }] = (await once(process, "message")) as [Asked];
    if (errand === "end") break;
    process.send!((await errands[errand]!(details as never)) ?? null);
  }
  const peakRssMb = Math.round(process.resourceUsage().maxRSS / 1024);
  process.send!({ peakRssMb, maxEventLoopDelayMs: loop.stop() } satisfies Peaks);
  process.off("disconnect", orphaned);
  process.disconnect();
}
