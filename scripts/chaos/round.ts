import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MageFlow, WaitTimeoutError } from "mageflow";
import { check } from "./check.ts";
import { type Faults, Fleet } from "./fleet.ts";
import { openLedger, readLedger } from "./ledger.ts";
import { random } from "./random.ts";
import { acknowledged, submitting } from "./submitting.ts";
import type { Violation } from "./violation.ts";

/** The nemesis is at work for this long, and until everything is submitted. */
const STORM_MS = 1_800;
/** Time between two faults. */
const PAUSE_MS = [60, 320] as const;
/** After the storm everything is settled within this time, else it is stuck: many leases of 1 s. */
const PATIENCE = "20s";

export interface RoundReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly faults: Faults;
  readonly acknowledged: number;
  readonly tasks: number;
  readonly seconds: number;
  /** Milliseconds of storm, calm and judgement. */
  readonly phases: readonly number[];
  /** Where the store and the ledger of a round with violations are kept. */
  readonly folder: string | null;
}

/**
 * One round: a new store, worker processes and a submitter on it, a storm of kills and freezes; then calm, until everything
 * is settled; then the judgement.
 */
export async function round(seed: number): Promise<RoundReport> {
  const began = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "mageflow-chaos-"));
  const store = `sqlite:${join(folder, "store.db")}`;
  const ledgerPath = join(folder, "ledger.jsonl");
  const journal = join(folder, "submitted.txt");
  const violations: Violation[] = [];
  const report = (found: Violation): void => void violations.push(found);
  const ledger = openLedger(ledgerPath);
  const fleet = new Fleet([store, ledgerPath], ledger, report);
  fleet.fill();

  let submitted = false;
  const submits = submitting([store, journal, String(seed)], random(seed, "submitter"), fleet.faults, report);
  void submits.finally(() => (submitted = true));
  const draw = random(seed, "nemesis");
  const storm = performance.now() + STORM_MS;
  // The first blow falls when there is something to hit: processes take about this long to start.
  await sleep(400);
  while (performance.now() < storm || !submitted) {
    fleet.strike(draw);
    await sleep(draw.whole(...PAUSE_MS));
  }
  await submits;
  fleet.thaw();
  const calm = performance.now();

  const mage = new MageFlow({ store });
  const told = acknowledged(journal);
  const settled = await settle(mage, told, report);
  await fleet.end();
  const judged = performance.now();
  const rows = readLedger(ledgerPath);
  const tasks = await check({ mage, seed, rows, acknowledged: told, settled, faults: fleet.faults }, report);
  await mage.close();
  ledger.close();
  if (violations.length === 0) rmSync(folder, { recursive: true });
  return {
    seed,
    violations,
    faults: fleet.faults,
    acknowledged: told.size,
    tasks,
    seconds: (performance.now() - began) / 1_000,
    phases: [calm - began, judged - calm, performance.now() - judged].map(Math.round),
    folder: violations.length === 0 ? null : folder,
  };
}

/** Waits for every root that is stored, acknowledged or not, and for what those launch. */
async function settle(
  mage: MageFlow,
  told: ReadonlyMap<number, string>,
  report: (found: Violation) => void,
): Promise<Set<string>> {
  const settled = new Set<string>();
  for (;;) {
    const roots = await mage.list({ limit: 500 });
    const open = roots.items.filter(({ id, name }) => name !== "large" && !settled.has(id));
    if (open.length === 0) return settled;
    let stuck = false;
    await Promise.all(
      open.map(async ({ id }) => {
        try {
          await (await mage.get(id)).settled({ timeout: PATIENCE });
          settled.add(id);
        } catch (error) {
          if (!(error instanceof WaitTimeoutError)) throw error;
          stuck = true;
          const promised = [...told.values()].includes(id) ? "acknowledged" : "stored";
          report({ kind: "stuck", detail: `${id} (${promised}): ${await describeOpen(mage, id)}` });
        }
      }),
    );
    if (stuck) return settled;
  }
}

/** What is not ended inside a workflow. */
async function describeOpen(mage: MageFlow, rootId: string): Promise<string> {
  const statuses = ["PENDING", "READY", "RUNNING", "WAITING"] as const;
  const { items } = await mage.list({ roots: false, status: statuses, limit: 500 });
  return items
    .filter((view) => view.rootId === rootId)
    .slice(0, 5)
    .map(({ id, status, workerId }) => `${id} ${status}${workerId === null ? "" : ` by ${workerId}`}`)
    .join(", ");
}
