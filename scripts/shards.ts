import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { balance, growth } from "./shards/balance.ts";
import { rehearse } from "./shards/rehearsal.ts";
import { stream } from "./shards/stream.ts";
import { readArguments } from "./read-arguments.ts";

/**
 * The plan past one database (`docs/scale.md`), tried out: how a stream of workflows spreads over shards and what another shard costs, by
 * arithmetic; and workflows that really run over three SQLite files, one of which is gone for a while, and then over four. `--rate` and
 * `--storing` are what one database does in a second, as `npm run bench -- millions` measures it. The exit code is 1 when a workflow was lost,
 * a task did not run exactly once, a key was forgotten, or the list was not whole and in order.
 *
 *     npm run shards -- [--workflows 100000] [--giant 1000000] [--rate 15000] [--storing 80000] [--real 300] [--seed 1] [--json]
 */
const { values } = readArguments(
  "usage: npm run shards -- [--workflows 100000] [--giant 1000000] [--rate 15000] [--storing 80000] [--real 300] [--seed 1] [--json]",
  {
    options: {
      workflows: { type: "string", default: "100000" },
      giant: { type: "string", default: "1000000" },
      rate: { type: "string", default: "15000" },
      storing: { type: "string", default: "80000" },
      real: { type: "string", default: "300" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
    },
  },
);
const { json, ...texts } = values;
const given = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Number(text)])) as Record<
  keyof typeof texts,
  number
>;
for (const [name, number] of Object.entries(given)) {
  if (Number.isSafeInteger(number) && number > 0) continue;
  process.stderr.write(`--${name} is ${texts[name as keyof typeof texts]}; give a whole number from 1\n`);
  process.exit(2);
}

const arrivals = stream(given.workflows, given.giant, given.seed);
const spread = [1, 2, 4, 8, 16].map((shards) => balance(arrivals, shards, given.rate));
const grown = [1, 2, 4, 8, 16].map((shards) => growth(arrivals, shards, given.storing));
const folder = mkdtempSync(join(tmpdir(), "mageflow-shards-"));
const rehearsing = rehearse(folder, given.real);
await Promise.allSettled([rehearsing]);
rmSync(folder, { recursive: true });
const rehearsal = await rehearsing;

if (json) process.stdout.write(`${JSON.stringify({ given, spread, grown, rehearsal })}\n`);
else {
  console.table(spread);
  console.table(grown);
  process.stdout.write(`${JSON.stringify(rehearsal, null, 2)}\n`);
}
const { lost, wrongRuns, forgottenKeys, listIsWhole } = rehearsal;
process.exit(lost + wrongRuns + forgottenKeys > 0 || !listIsWhole ? 1 : 0);
