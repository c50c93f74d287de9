import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Faults } from "./fleet.ts";
import { type Child, startChild } from "./process.ts";
import type { Random } from "./random.ts";
import type { Violation } from "./violation.ts";

const MOST_KILLS = 3;

/** Runs submitters until one of them has got through, and kills them where it hurts: while they submit. */
export async function submitting(
  args: readonly string[],
  draw: Random,
  faults: Faults,
  report: (found: Violation) => void,
): Promise<void> {
  const start = (): Child => startChild(new URL("./submitter-process.ts", import.meta.url), args);
  let standby = start();
  for (;;) {
    const child = standby;
    standby = start();
    let doomed = false;
    child.onLine((line) => {
      if (doomed || faults.submitterKills === MOST_KILLS) return;
      if (!line.startsWith("attempt") || !draw.chance(0.2)) return;
      doomed = true;
      faults.submitterKills++;
      void sleep(draw.next() * 12).then(() => child.process.kill("SIGKILL"));
    });
    child.process.stdin!.write("go\n");
    const { code, signal, errors } = await child.ended;
    if (doomed && code !== 0) continue;
    standby.process.kill("SIGKILL");
    if (code !== 0)
      report({
        kind: "crashed",
        detail: `the submitter ended with ${code ?? signal}: ${errors.slice(-2_000)}`,
      });
    return;
  }
}

/** Ids of the workflows that the submitter was told are stored, by index. */
export function acknowledged(journal: string): Map<number, string> {
  const ids = new Map<number, string>();
  for (const line of readFileSync(journal, "utf8").split("\n")) {
    const [what, index, id] = line.split(" ");
    if (what === "acknowledged") ids.set(Number(index), id!);
  }
  return ids;
}
