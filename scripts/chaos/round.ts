import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { acknowledged } from "./acknowledged.ts";
import { checkOwnMended } from "./check-mended.ts";
import { checkSteered } from "./check-steered.ts";
import { checkStore } from "./check-store.ts";
import { check } from "./check.ts";
import type { Witness } from "./history.ts";
import { type Faults, Fleet } from "./fleet.ts";
import { openWitness } from "./open-witness.ts";
import { insist } from "./insisting.ts";
import { openLedger, readLedger } from "./ledger.ts";
import { nurse } from "./nursing.ts";
import { type Beside, type Blows, openPlace, type Place, type StoreKind } from "./place.ts";
import { Patience } from "./patience.ts";
import { type Random, random } from "./random.ts";
import { settle } from "./settling.ts";
import { Steerer } from "./steerer.ts";
import { chaosTasks } from "./tasks.ts";
import type { Violation } from "./violation.ts";
import { openMage, toArgument, type Where } from "./where.ts";
import { SUBMISSIONS } from "./workload.ts";

/** The nemesis is at work for this long, and until everything is submitted and every story is told. */
const STORM_MS = 1_800;
/** Time between two faults. */
const PAUSE_MS = [60, 320] as const;
/** Time between two blows at the database. */
const BLOW_MS = [1_000, 3_000] as const;
/** A storm that is longer, as on a busy machine, does no more to it: then the processes get through. */
const MOST_BLOWS = 4;

export interface RoundReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly faults: Faults & Blows;
  readonly acknowledged: number;
  readonly tasks: number;
  /** Orders to steered workflows: carried out, refused, and never answered. */
  readonly orders: { readonly done: number; readonly refused: number; readonly unknown: number };
  readonly seconds: number;
  /** Milliseconds of storm, calm and judgement. */
  readonly phases: readonly number[];
  /** Where the store and the ledger of a round with violations are kept. */
  readonly folder: string | null;
}

/** Before anything else goes on: a trigger that is made waits for all transactions, and they for it. */
async function beginToNote(where: Where, witness: Witness): Promise<void> {
  const mage = await openMage(where);
  await mage.list();
  await mage.close();
  await witness.begin();
}

/**
 * One round: a new store, worker processes, a submitter and a steerer on it, a storm of kills and freezes; then calm, until everything
 * is settled; then the judgement.
 */
export async function round(seed: number, kind: StoreKind, beside: Beside): Promise<RoundReport> {
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "mageflow-chaos-"));
  const place = await openPlace(kind, beside, folder);
  const where = toArgument(place.where);
  const ledgerPath = join(folder, "ledger.jsonl");
  const journal = join(folder, "submitted.txt");
  const violations: Violation[] = [];
  const report = (found: Violation): void => void violations.push(found);
  const ledger = openLedger(ledgerPath);
  const witness = openWitness(place.where.witness);
  await beginToNote(place.where, witness);
  const fleet = new Fleet([where, ledgerPath], ledger, report);
  fleet.fill();

  let busy = true;
  const errands = Promise.all([
    insist(
      {
        name: "submitter",
        module: new URL("./submitter-process.ts", import.meta.url),
        args: [where, journal, String(seed)],
        announces: "attempt",
        chance: 0.2,
      },
      random(seed, "submitter"),
      report,
    ),
    insist(
      {
        name: "steerer",
        module: new URL("./steerer-process.ts", import.meta.url),
        args: [where, ledgerPath, String(seed)],
        announces: "asks",
        chance: 0.06,
      },
      random(seed, "steerer"),
      report,
    ),
  ]).finally(() => (busy = false));
  const draw = random(seed, "nemesis");
  const storm = performance.now() + STORM_MS;
  // The first blow falls when there is something to hit: processes take about this long to start.
  await sleep(400);
  const isStorm = (): boolean => performance.now() < storm || busy;
  const blows = strike(place, random(seed, "database"), isStorm);
  while (isStorm()) {
    fleet.strike(draw);
    await sleep(draw.whole(...PAUSE_MS));
  }
  const [submitterKills, steererKills] = await errands;
  await blows;
  fleet.thaw();
  const calm = performance.now();

  const mage = await openMage(place.where);
  const tasks = chaosTasks(mage, null);
  const told = acknowledged(journal);
  const words = readLedger(ledgerPath).flatMap(({ word }) => word ?? []);
  const roots = new Map(words.map((word) => [word.story, word.rootId]));
  const steered = new Set(roots.values());
  const steerer = new Steerer([mage], tasks, ledger, witness, () => {});
  const [settled, rested] = await Promise.all([
    settle(mage, told, steered, new Patience(witness), report),
    nurse(mage, witness, steerer, roots, words, new Patience(witness), report),
  ]);
  await fleet.end();
  const judged = performance.now();
  const all = readLedger(ledgerPath);
  const faults = { ...fleet.faults, ...place.blows, submitterKills, steererKills };
  const rows = all.filter(({ id, word }) => word === undefined && !steered.has(id?.split(".", 1)[0] ?? ""));
  const submitted = { submissions: SUBMISSIONS, acknowledged: told, settled, steered };
  const ran = await check({ mage, seed, tasks, rows, ...submitted, goodbyes: faults.goodbyes }, report);
  const evidence = { mage, witness, seed, tasks, rows: all, roots, settled: rested };
  const given = await checkSteered(evidence, report);
  await checkStore(mage, report);
  await checkOwnMended(mage, report);
  await mage.close();
  await witness.close();
  ledger.close();
  await place.remove();
  if (violations.length === 0) rmSync(folder, { recursive: true });
  const count = (fate: string): number => given.filter((order) => order.fate === fate).length;
  return {
    seed,
    violations,
    faults,
    acknowledged: told.size,
    tasks: ran,
    orders: { done: count("done"), refused: count("refused"), unknown: count("unknown") },
    seconds: (performance.now() - began) / 1_000,
    phases: [calm - began, judged - calm, performance.now() - judged].map(Math.round),
    folder: violations.length === 0 ? null : folder,
  };
}

/** Strikes the servers again and again while there is a storm. */
async function strike(place: Place, draw: Random, isStorm: () => boolean): Promise<void> {
  for (let blow = 0; blow < MOST_BLOWS; blow++) {
    await sleep(draw.whole(...BLOW_MS));
    if (!isStorm()) return;
    await place.strike(draw);
  }
}
