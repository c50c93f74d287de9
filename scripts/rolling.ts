import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MageFlow } from "mageflow";
import { checkStore } from "./chaos/check-store.ts";
import { check } from "./chaos/check.ts";
import { openWitness } from "./chaos/open-witness.ts";
import { openLedger, readLedger } from "./chaos/ledger.ts";
import { Patience } from "./chaos/patience.ts";
import { random } from "./chaos/random.ts";
import { settle } from "./chaos/settling.ts";
import { chaosTasks } from "./chaos/tasks.ts";
import { checkHandover } from "./rolling/check-handover.ts";
import { LAWS } from "./rolling/laws.ts";
import { Rollout } from "./rolling/rollout.ts";
import { submitting } from "./rolling/submitting.ts";
import { readArguments } from "./read-arguments.ts";

/**
 * Replaces the worker process on one SQLite file over and over, while workflows are submitted: one drains while the next one boots. Nobody
 * is killed, so nothing may be lost, wait for the end of a lease, or count as a crash. One JSON object on stdout; the exit code is 1
 * when anything was found. Workflows and overlaps depend on the seed; when exactly a process is told to stop depends on the machine.
 *
 *     npm run rolling -- [--restarts 200] [--seed 7] [--json]
 */
const { values } = readArguments("usage: npm run rolling -- [--restarts 200] [--seed 7] [--json]", {
  options: {
    restarts: { type: "string", default: "200" },
    seed: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const restarts = Number(values.restarts);
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed);
if (!Number.isInteger(restarts) || restarts < 1)
  fail(`--restarts is ${values.restarts}; give a whole number from 1`);
if (!Number.isInteger(seed)) fail(`--seed is ${values.seed}; give a whole number`);

/** Restarts between two audits of the store while work goes on. */
const AUDIT_EVERY = 10;
/** None of them is given orders. */
const STEERED: ReadonlySet<string> = new Set();

const began = performance.now();
const say = (text: string): void => void (values.json || process.stderr.write(`${text}\n`));
const found: string[] = [];
const report = ({ kind, detail }: { kind: string; detail: string }): void => {
  found.push(kind);
  process.stderr.write(`${kind}: ${detail}\n`);
};

const folder = mkdtempSync(join(tmpdir(), "mageflow-rolling-"));
const file = join(folder, "store.db");
const ledgerPath = join(folder, "ledger.jsonl");
const ledger = openLedger(ledgerPath);
const rollout = new Rollout([`sqlite:${file}`, ledgerPath], ledger, report);
const mage = new MageFlow({ store: `sqlite:${file}` });
const tasks = chaosTasks(mage, null);
const enough = new AbortController();
const submitted = submitting(mage, seed, tasks, enough.signal);

const draw = random(seed, "restarts");
for (let n = 1; n <= restarts; n++) {
  await rollout.restart(draw);
  if (n % AUDIT_EVERY !== 0) continue;
  await checkStore(mage, report);
  say(`${n} of ${restarts} restarts`);
}
enough.abort();
const told = await submitted;
const witness = openWitness(`sqlite:${file}`);
await witness.begin();
const settled = await settle(mage, told, STEERED, new Patience(witness), report);
await witness.close();
await rollout.end();

const rows = readLedger(ledgerPath);
const given = { seed, submissions: told.size, acknowledged: told, settled, steered: STEERED };
const ran = await check({ mage, tasks, rows, ...given, goodbyes: restarts }, report);
await checkHandover(mage, rows, report);
await checkStore(mage, report);
await mage.close();
ledger.close();
if (found.length === 0) rmSync(folder, { recursive: true });
else
  process.stderr.write(
    `evidence: ${folder}\nagain: npm run rolling -- --restarts ${restarts} --seed ${seed}\n`,
  );
const summary = {
  restarts,
  ...Object.fromEntries(LAWS.map((law) => [law, found.filter((kind) => kind === law).length])),
  early: rollout.early,
  workflows: told.size,
  tasks: ran,
  handedBack: rows.filter(({ what }) => what === "released").length,
  seed,
  seconds: Number(((performance.now() - began) / 1_000).toFixed(1)),
};
process.stdout.write(`${JSON.stringify(summary)}\n`);
process.exit(found.length === 0 ? 0 : 1);

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
