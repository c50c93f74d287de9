import { readFileSync } from "node:fs";
import { MUTANTS } from "./mutants.ts";
import { runShare } from "./sweep.ts";

/** Runs that a mutant may survive: seeds first, then every crash point of two rounds. */
const SEEDS = 600;

export interface Hunted {
  readonly name: string;
  /** Runs until it was caught. */
  readonly runs: number;
  /** The invariant that caught it, or null when it survived. */
  readonly killedBy: string | null;
}

export async function hunt(name: string): Promise<Hunted & { what: string }> {
  let killedBy: string | null = null;
  let what = "";
  const share = { first: 1, seeds: SEEDS, rounds: 2, share: 0, of: 1, hunt: true };
  const { runs } = await runShare(share, name, (finding) => {
    killedBy ??= finding.invariant;
    what ||= finding.what;
  });
  return { name, runs, killedBy, what };
}

/** Throws for mutants whose text is not there exactly once any more, so that the list cannot rot. */
export function requireFresh(): void {
  const stale = MUTANTS.filter(({ file, find }) => {
    const source = readFileSync(new URL(`../../packages/mageflow/src/${file}`, import.meta.url), "utf8");
    return source.split(find).length !== 2;
  });
  if (stale.length === 0) return;
  throw new Error(
    `bring these mutants up to date, their text is not there exactly once: ${stale.map(({ name }) => name).join(", ")}`,
  );
}

/** Hunts all mutants, `at` at a time. */
export async function killAll(
  at: number,
  only: readonly string[] | null,
  say: (line: string) => void,
): Promise<Hunted[]> {
  requireFresh();
  const names = MUTANTS.map(({ name }) => name).filter((name) => only === null || only.includes(name));
  const waiting = [...names];
  const found: Hunted[] = [];
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const hunted = await hunt(name);
      const end = hunted.killedBy === null ? "SURVIVED" : `killed by ${hunted.killedBy}`;
      say(
        `${name}: ${end} in run ${hunted.runs}${hunted.killedBy === null ? "" : `: ${hunted.what.split("\n")[0]!.slice(0, 120)}`}`,
      );
      found.push(hunted);
    }
  };
  await Promise.all(Array.from({ length: at }, work));
  return found;
}
