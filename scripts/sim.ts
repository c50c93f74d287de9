import { availableParallelism } from "node:os";
import {
  crashAt,
  lose,
  LOSSES,
  simulate,
  WORKFLOWS,
} from "../packages/mageflow/src/testing/simulator/index.ts";
import { killAll } from "./mutants/hunt.ts";
import { MUTANTS } from "./mutants/mutants.ts";
import { type Finding, sweepAll } from "./mutants/sweep.ts";
import { readArguments } from "./read-arguments.ts";

/**
 * `npm run sim`: simulated faults over many seeds, crash points, and the audit of the simulator by planted bugs. The exit code is 1
 * when anything was found, 2 when it was told to do what cannot be done.
 */

const USAGE =
  "usage: npm run sim -- [--seeds N] [--first N] [--no-crash-points] | --seed N [--crash WORKFLOW:BOUNDARIES] [--loss N] [--verbose] | --mutants [--only NAMES] [--json]";
const { values } = readArguments(USAGE, {
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
  const only = values.only?.split(",") ?? null;
  for (const wanted of only ?? [])
    if (!MUTANTS.some(({ name }) => name === wanted)) fail(`there is no mutant "${wanted}"`);
  const found = await killAll(availableParallelism(), only, say);
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
  const seed = wholeNumber("--seed", values.seed, 0);
  const options = { trace: values.verbose };
  const [workflow = "", points = ""] = values.crash?.split(":") ?? [];
  const loss = values.loss === undefined ? null : oneOf(LOSSES, "--loss", values.loss);
  const crashed = values.crash === undefined ? null : oneOf(WORKFLOWS, "--crash", workflow);
  const crashPoints = points
    .split(",")
    .filter(Boolean)
    .map((point) => wholeNumber("a boundary of --crash", point, 0));
  const run = () => {
    if (loss !== null) return lose(loss, { seed, ...options });
    return crashed === null ? simulate(seed, options) : crashAt(crashed, crashPoints, { seed, ...options });
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
  const seeds = wholeNumber("--seeds", values.seeds, 1);
  const first = wholeNumber("--first", values.first, 0);
  const rounds = values["crash-points"] ? Math.max(1, Math.round(seeds / 200)) : 0;
  const show = ({ invariant, what, repeat }: Finding): void =>
    say(`VIOLATION ${invariant}: ${what}\n  repeat: ${repeat}`);
  const total = await sweepAll({ first, seeds, rounds, processes: availableParallelism() }, show);
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

function wholeNumber(option: string, given: string, least: number): number {
  const number = given.trim() === "" ? NaN : Number(given);
  if (!Number.isSafeInteger(number) || number < least)
    fail(`${option} is "${given}"; give a whole number from ${least}`);
  return number;
}

/** The one that `given`, its place in the list, stands for. */
function oneOf<T>(list: readonly T[], option: string, given: string): T {
  const found = list[wholeNumber(option, given, 0)];
  if (found === undefined) fail(`${option} is ${given}; give a whole number up to ${list.length - 1}`);
  return found;
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
