import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import {
  crashAt,
  lose,
  LOSSES,
  simulate,
  WORKFLOWS,
} from "../packages/mageflow/src/testing/simulator/index.ts";
import { killAll } from "./mutants/hunt.ts";
import { type Finding, sweepAll } from "./mutants/sweep.ts";

/** `npm run sim`: simulated faults over many seeds, crash points, and the audit of the simulator by planted bugs. */

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    first: { type: "string", default: "1" },
    seed: { type: "string" },
    crash: { type: "string" },
    loss: { type: "string" },
    "crash-points": { type: "boolean", default: true },
    mutants: { type: "boolean", default: false },
    only: { type: "string" },
    verbose: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
  allowNegative: true,
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const started = performance.now();
const seconds = (): number => Math.round((performance.now() - started) / 100) / 10;

if (values.mutants) {
  const found = await killAll(availableParallelism(), values.only?.split(",") ?? null, say);
  const survived = found.filter(({ killedBy }) => killedBy === null);
  const kills = found.flatMap(({ runs, killedBy }) => (killedBy === null ? [] : [runs]));
  const mean = Math.round((kills.reduce((sum, runs) => sum + runs, 0) / Math.max(1, kills.length)) * 10) / 10;
  say(
    `${found.length} mutants, ${found.length - survived.length} killed, on average by run ${mean}, in ${seconds()} s`,
  );
  for (const { name } of survived) say(`SURVIVED ${name}`);
  const summary = {
    mutants: found.length,
    survived: survived.length,
    meanRunsToKill: mean,
    seconds: seconds(),
  };
  if (values.json)
    say(
      JSON.stringify({ ...summary, kills: Object.fromEntries(found.map(({ name, runs }) => [name, runs])) }),
    );
  process.exitCode = survived.length === 0 ? 0 : 1;
} else if (values.seed !== undefined) {
  const seed = Number(values.seed);
  const options = { trace: values.verbose };
  const [workflow = "0", points = ""] = values.crash?.split(":") ?? [];
  const run = () => {
    if (values.loss !== undefined) return lose(LOSSES[Number(values.loss)]!, { seed, ...options });
    if (values.crash === undefined) return simulate(seed, options);
    const boundaries = points.split(",").filter(Boolean).map(Number);
    return crashAt(WORKFLOWS[Number(workflow)]!, boundaries, { seed, ...options });
  };
  const outcome = await run();
  for (const line of outcome.trace) say(line);
  const again = await run();
  const { violations, hash, commits, events, boundaries, crashes, signatures, lasted } = outcome;
  for (const { invariant, what } of violations) say(`VIOLATION ${invariant}: ${what}`);
  if (again.hash !== hash)
    say(`VIOLATION determinism: the second run has the hash ${again.hash}, not ${hash}`);
  const count = violations.length + (again.hash === hash ? 0 : 1);
  say(
    `seed ${seed}: ${signatures} signatures, ${commits} commits, ${events} events, ${boundaries} boundaries, ${crashes} crashes, ${Math.round(lasted / 1000)} virtual s, hash ${hash}`,
  );
  if (values.json) say(JSON.stringify({ seeds: 1, crashPoints: 0, violations: count, hash }));
  process.exitCode = count === 0 ? 0 : 1;
} else {
  const seeds = Number(values.seeds);
  const rounds = values["crash-points"] ? Math.max(1, Math.round(seeds / 200)) : 0;
  const show = ({ invariant, what, repeat }: Finding): void =>
    say(`VIOLATION ${invariant}: ${what}\n  repeat: ${repeat}`);
  const total = await sweepAll(
    { first: Number(values.first), seeds, rounds, processes: availableParallelism() },
    show,
  );
  const { violations, crashPoints, commits, events, crashes, virtualHours, repeats } = total;
  say(
    `${seeds} seeds and ${crashPoints} crash points: ${commits} commits, ${events} events, ${crashes} crashes, ${virtualHours} virtual hours, ${repeats} runs repeated to the same hash`,
  );
  say(`${violations} violations in ${seconds()} s`);
  if (values.json) {
    say(
      JSON.stringify({
        seeds,
        crashPoints,
        violations,
        seconds: seconds(),
        commits,
        events,
        crashes,
        virtualHours,
        repeats,
      }),
    );
  }
  process.exitCode = violations === 0 ? 0 : 1;
}
