import {
  crashAt,
  lose,
  LOSSES,
  type Outcome,
  simulate,
  WORKFLOWS,
} from "../../packages/mageflow/src/testing/simulator/index.ts";
import type { Finding, Message, Share, Totals } from "./sweep.ts";

/** Every so many seeds are run twice, to prove that a seed repeats. */
const REPEAT_EVERY = 50;
/** Pairs of crash points that are sampled per workflow and round. */
const PAIRS = 12;

const share = JSON.parse(process.argv[2]!) as Share;
const totals: { -readonly [K in keyof Totals]: Totals[K] } = {
  runs: 0,
  crashPoints: 0,
  commits: 0,
  events: 0,
  crashes: 0,
  virtualMs: 0,
  repeats: 0,
  violations: 0,
};
const send = (message: Message): Promise<void> =>
  new Promise((resolve) => void process.send!(message, undefined, undefined, () => resolve()));

async function report(finding: Finding): Promise<void> {
  totals.violations++;
  await send({ finding });
}

/** Every loss, dealt out like seeds. */
async function losses(): Promise<void> {
  for (let seed = share.first; seed < share.first + share.rounds; seed++) {
    for (const [index, loss] of LOSSES.entries()) {
      if ((index + seed) % share.of !== share.share || over()) continue;
      await take(() => lose(loss, { seed }), `npm run sim -- --seed ${seed} --loss ${index}`);
    }
  }
}

async function take(run: () => Promise<Outcome>, repeat: string): Promise<Outcome | null> {
  totals.runs++;
  let outcome: Outcome;
  try {
    outcome = await run();
  } catch (error) {
    await report({
      invariant: "simulator",
      what: error instanceof Error ? (error.stack ?? error.message) : String(error),
      repeat,
    });
    return null;
  }
  totals.commits += outcome.commits;
  totals.events += outcome.events;
  totals.crashes += outcome.crashes;
  totals.virtualMs += outcome.lasted;
  const [first] = outcome.violations;
  if (first !== undefined) await report({ ...first, repeat });
  return outcome;
}

const over = (): boolean => share.hunt && totals.violations > 0;

async function seeds(): Promise<void> {
  for (let i = share.share; i < share.seeds && !over(); i += share.of) {
    const seed = share.first + i;
    const repeat = `npm run sim -- --seed ${seed}`;
    const outcome = await take(() => simulate(seed), repeat);
    if (outcome === null || share.hunt || seed % REPEAT_EVERY !== 0) continue;
    const again = await simulate(seed);
    totals.repeats++;
    if (again.hash !== outcome.hash) {
      await report({
        invariant: "determinism",
        what: `a second run has the hash ${again.hash}, not ${outcome.hash}`,
        repeat,
      });
    }
  }
}

async function crashPoints(): Promise<void> {
  for (let seed = share.first; seed < share.first + share.rounds; seed++) {
    for (const [index, workflow] of WORKFLOWS.entries()) {
      const calm = await take(
        () => crashAt(workflow, [], { seed }),
        `npm run sim -- --seed ${seed} --crash ${index}:`,
      );
      const count = calm?.boundaries ?? 0;
      const points: number[][] = Array.from({ length: count }, (_, point) => [point]);
      for (let i = 1; i <= PAIRS; i++)
        points.push([
          Math.floor((count * i) / (2 * PAIRS + 2)),
          Math.floor((count * (i + seed)) / (PAIRS + seed + 1)),
        ]);
      for (let i = share.share; i < points.length && !over(); i += share.of) {
        const repeat = `npm run sim -- --seed ${seed} --crash ${index}:${points[i]!.join(",")}`;
        await take(() => crashAt(workflow, points[i]!, { seed }), repeat);
        totals.crashPoints++;
      }
      if (over()) return;
    }
  }
}

await losses();
if (!over()) await seeds();
if (!over()) await crashPoints();
await send({ totals });
process.disconnect();
