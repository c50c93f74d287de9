import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Seeds and crash points, dealt out to child processes. */

export interface Sweep {
  readonly first: number;
  readonly seeds: number;
  /** Times that every boundary of every workflow is crashed, each time under another schedule. */
  readonly rounds: number;
  readonly processes: number;
}

/** What a child is to do: every `of`-th seed and crash point, from its own number on. */
export interface Share extends Omit<Sweep, "processes"> {
  readonly share: number;
  readonly of: number;
  /** Stop at the first violation. */
  readonly hunt: boolean;
}

export interface Finding {
  readonly invariant: string;
  readonly what: string;
  readonly repeat: string;
}

export interface Totals {
  readonly runs: number;
  readonly crashPoints: number;
  readonly commits: number;
  readonly events: number;
  readonly crashes: number;
  readonly virtualMs: number;
  readonly repeats: number;
  readonly violations: number;
}

export type Message = { readonly finding: Finding } | { readonly totals: Totals };

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));

/** One child process and its share. With a mutant, the named bug is planted into the modules that it loads. */
export function runShare(
  share: Share,
  mutant: string | null,
  onFinding: (finding: Finding) => void,
): Promise<Totals> {
  return new Promise((resolve, reject) => {
    const hook = new URL("./plant.ts", import.meta.url).href;
    const child = fork(CHILD, [JSON.stringify(share)], {
      execArgv: ["--conditions=@mageflow/source", ...(mutant === null ? [] : ["--import", hook])],
      env: { ...process.env, ...(mutant === null ? {} : { MAGEFLOW_MUTANT: mutant }) },
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    let totals: Totals | null = null;
    let errors = "";
    child.stderr!.on("data", (data: Buffer) => (errors = (errors + data.toString()).slice(-4_000)));
    child.on("message", (message: Message) => {
      if ("finding" in message) onFinding(message.finding);
      else totals = message.totals;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (totals !== null) resolve(totals);
      else reject(new Error(`a child of the simulator ended with ${code}: ${errors}`));
    });
  });
}

export async function sweepAll(
  sweep: Sweep,
  show: (finding: Finding) => void,
): Promise<Totals & { virtualHours: number }> {
  const { processes, ...rest } = sweep;
  const shares = Array.from({ length: processes }, (_, share) =>
    runShare({ ...rest, share, of: processes, hunt: false }, null, show),
  );
  const sum = {
    runs: 0,
    crashPoints: 0,
    commits: 0,
    events: 0,
    crashes: 0,
    virtualMs: 0,
    repeats: 0,
    violations: 0,
  };
  for (const totals of await Promise.all(shares)) {
    for (const key of Object.keys(sum) as (keyof Totals)[]) sum[key] += totals[key];
  }
  return { ...sum, virtualHours: Math.round(sum.virtualMs / 360_000) / 10 };
}
