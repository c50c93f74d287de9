import { setTimeout as sleep } from "node:timers/promises";
import { checkMended } from "./check-mended.ts";
import { type Child, startChild } from "./process.ts";
import type { Random } from "./random.ts";
import type { Violation } from "./violation.ts";

const MOST_KILLS = 3;

/** A process that has something to get through, and how it says that it is about to begin with a part of it. */
export interface Errand {
  readonly name: string;
  readonly module: URL;
  readonly args: readonly string[];
  readonly announces: string;
  /** Of each such announcement to be the last one. */
  readonly chance: number;
}

/** Runs processes one after the other until one has got through, and kills them where it hurts: at work. Returns how many it has killed. */
export async function insist(
  { name, module, args, announces, chance }: Errand,
  draw: Random,
  report: (found: Violation) => void,
): Promise<number> {
  const start = (): Child => startChild(module, args);
  let kills = 0;
  let standby = start();
  for (;;) {
    const child = standby;
    standby = start();
    let doomed = false;
    child.onLine((line) => {
      if (doomed || kills === MOST_KILLS) return;
      if (!line.startsWith(announces) || !draw.chance(chance)) return;
      doomed = true;
      kills++;
      void sleep(draw.next() * 12).then(() => child.process.kill("SIGKILL"));
    });
    child.process.stdin!.write("go\n");
    const { code, signal, errors } = await child.ended;
    checkMended(errors, report);
    if (doomed && code !== 0) continue;
    standby.process.kill("SIGKILL");
    if (code !== 0)
      report({
        kind: "crashed",
        detail: `the ${name} ended with ${code ?? signal}: ${errors.slice(-2_000)}`,
      });
    return kills;
  }
}
