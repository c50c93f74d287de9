import { availableParallelism } from "node:os";
import { type RoundReport, round } from "./chaos/round.ts";
import { STORES } from "./chaos/place.ts";
import { VIOLATIONS } from "./chaos/violation.ts";
import { MUTANTS } from "./mutants/mutants.ts";
import { readArguments } from "./read-arguments.ts";

/**
 * Kills, freezes and replaces real processes on one store, round after round, and judges each round by the effects that the
 * handlers left outside MageFlow. A round is mostly waiting: as many go on at once as there are cores. The last line on stdout is
 * one JSON object; the exit code is 1 when anything was found. For PostgreSQL and MySQL each round has a server of its own, whose
 * connections are cut or left half-open and which is killed and restarted in the middle of everything. `--cache redis` puts a cache before the store and `--engine bullmq` has BullMQ bring
 * the tasks, on a Redis of the round's own that is flushed, killed and frozen.
 *
 *     npm run chaos -- [--store sqlite|postgres|mysql] [--cache redis] [--engine bullmq] --rounds 50 [--seed 7] [--parallel 3] [--json]
 *
 * With `--mutant NAME` the bug of that name (`npm run sim -- --mutants`) is planted into all processes but this one: it should be found.
 */
const { values } = readArguments(
  "usage: npm run chaos -- [--store sqlite|postgres|mysql] [--cache redis] [--engine bullmq] [--rounds 50] [--seed 7] [--parallel 3] [--mutant NAME] [--json]",
  {
    options: {
      store: { type: "string", default: "sqlite" },
      cache: { type: "string" },
      engine: { type: "string", default: "embedded" },
      rounds: { type: "string", default: "50" },
      seed: { type: "string" },
      parallel: { type: "string", default: String(availableParallelism()) },
      mutant: { type: "string" },
      json: { type: "boolean", default: false },
    },
  },
);
const rounds = Number(values.rounds);
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed);
const store = STORES.find((kind) => kind === values.store);
if (store === undefined)
  fail(`there is no chaos for the store "${values.store}"; use --store ${STORES.join(" or --store ")}`);
if (![undefined, "redis"].includes(values.cache))
  fail(`there is no chaos for the cache "${values.cache}"; use --cache redis`);
if (!["embedded", "bullmq"].includes(values.engine))
  fail(`there is no chaos for the engine "${values.engine}"; use --engine bullmq`);
const beside = { cache: values.cache !== undefined, bullmq: values.engine === "bullmq" };
const given = [
  "--store",
  store,
  ...(beside.cache ? ["--cache", "redis"] : []),
  ...(beside.bullmq ? ["--engine", "bullmq"] : []),
].join(" ");
if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds is ${values.rounds}; give a whole number from 1`);
const parallel = Number(values.parallel);
if (!Number.isInteger(parallel) || parallel < 1)
  fail(`--parallel is ${values.parallel}; give a whole number from 1`);
if (!Number.isInteger(seed)) fail(`--seed is ${values.seed}; give a whole number`);

if (values.mutant !== undefined) {
  if (!MUTANTS.some(({ name }) => name === values.mutant)) fail(`there is no mutant "${values.mutant}"`);
  process.env["MAGEFLOW_MUTANT"] = values.mutant;
  process.env["NODE_OPTIONS"] = `--import ${new URL("./mutants/plant.ts", import.meta.url).href}`;
}

const say = (text: string): void => void (values.json || process.stderr.write(`${text}\n`));
const began = performance.now();
const reports: RoundReport[] = [];
let begun = 0;
/** One round after the other. */
const lane = async (): Promise<void> => {
  while (begun < rounds) {
    const report = await round(seed + begun++, store, beside);
    reports.push(report);
    const { faults, tasks, orders, seconds, phases, violations } = report;
    say(
      `round ${reports.length}/${rounds} seed ${report.seed}: ${faults.kills} kills, ${faults.freezes} freezes, ${faults.goodbyes} goodbyes, ` +
        `${faults.cuts} cuts, ${faults.silences} silences, ${faults.restarts} restarts, ` +
        `${faults.flushes} flushes, ${faults.redisRestarts} Redis restarts, ${faults.redisFreezes} Redis freezes, ` +
        `${faults.submitterKills} submitters, ${faults.steererKills} steerers, ${tasks} tasks, ` +
        `${orders.done}+${orders.refused}+${orders.unknown} orders, ` +
        `${seconds.toFixed(1)} s (${phases.join("+")} ms): ${violations.length === 0 ? "ok" : "VIOLATED"}`,
    );
    for (const { kind, detail } of violations.slice(0, 20)) process.stderr.write(`  ${kind}: ${detail}\n`);
    if (violations.length > 0) {
      process.stderr.write(`  evidence: ${report.folder}\n`);
      process.stderr.write(`  again: npm run chaos -- ${given} --rounds 1 --seed ${report.seed}\n`);
    }
  }
};
await Promise.all(Array.from({ length: parallel }, lane));

const violations = reports.flatMap((report) => report.violations);
const sum = (of: (report: RoundReport) => number): number =>
  reports.reduce((total, one) => total + of(one), 0);
const summary = {
  rounds,
  ...Object.fromEntries(
    VIOLATIONS.map((kind) => [kind, violations.filter((found) => found.kind === kind).length]),
  ),
  acknowledged: sum((report) => report.acknowledged),
  tasks: sum((report) => report.tasks),
  kills: sum(({ faults }) => faults.kills),
  freezes: sum(({ faults }) => faults.freezes),
  goodbyes: sum(({ faults }) => faults.goodbyes),
  submitterKills: sum(({ faults }) => faults.submitterKills),
  steererKills: sum(({ faults }) => faults.steererKills),
  ordersDone: sum(({ orders }) => orders.done),
  ordersRefused: sum(({ orders }) => orders.refused),
  ordersUnknown: sum(({ orders }) => orders.unknown),
  cuts: sum(({ faults }) => faults.cuts),
  silences: sum(({ faults }) => faults.silences),
  restarts: sum(({ faults }) => faults.restarts),
  flushes: sum(({ faults }) => faults.flushes),
  redisRestarts: sum(({ faults }) => faults.redisRestarts),
  redisFreezes: sum(({ faults }) => faults.redisFreezes),
  store,
  ...(beside.cache ? { cache: "redis" } : {}),
  engine: values.engine,
  seed,
  failedSeeds: reports.filter((report) => report.violations.length > 0).map((report) => report.seed),
  slowestRound: Number(Math.max(...reports.map(({ seconds }) => seconds)).toFixed(1)),
  seconds: Number(((performance.now() - began) / 1_000).toFixed(1)),
};
process.stdout.write(`${JSON.stringify(summary)}\n`);
process.exit(violations.length === 0 ? 0 : 1);

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
