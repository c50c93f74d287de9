import type { SignatureRecord } from "../core/record.ts";
import type { Notes } from "../ports/store.ts";
import type { Batch } from "./batch.ts";

/** The name of the note among the steps; no step of a task is called so. */
export const GOING_ON = "\u0003goes on";

/**
 * Notes that a task which its worker has lost or handed back goes on, so that whoever takes it next asks whether it may: its code may be
 * another version than that of those who let it go on. A retry and a resumption by hand are further claims, which the note is not for.
 */
export function noteGoingOn(batch: Batch, now: SignatureRecord): void {
  const { id, origin, status, generation, epoch } = now;
  if (status !== "READY" && status !== "WAITING") return;
  batch.extras.steps.push({ id, generation: origin, name: GOING_ON, result: run(generation, epoch) });
}

/** Whether a task that was just claimed goes on from a run that was lost or handed back. */
export function goesOn({ generation, epoch }: SignatureRecord, notes: Notes | null): boolean {
  return notes?.steps.get(GOING_ON) === run(generation, epoch - 1);
}

/** JSON text. */
function run(generation: number, epoch: number): string {
  return `[${generation},${epoch}]`;
}
