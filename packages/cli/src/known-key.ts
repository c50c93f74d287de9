import type { AnyPlan, MageFlow, Run } from "mageflow";
import type { Quote } from "./plain-text.ts";

export interface Started {
  readonly run: Run;
  /** What there is to say when the key led to a run that was there before; null when it is a new one. */
  readonly known: string | null;
}

/** Stores and starts a plan, and finds out whether its key had already done so. */
export async function startKeyed(
  mage: MageFlow,
  plan: AnyPlan,
  message: unknown,
  key: string | undefined,
  quote: Quote,
): Promise<Started> {
  const before = Date.now();
  // The plan's input is not known here; the library checks it at the door.
  const run: Run = await mage.run<AnyPlan>(plan, message, key === undefined ? {} : { key });
  if (key === undefined || (await bornAt(run)) >= before) return { run, known: null };
  const { name } = await run.view();
  return {
    run,
    known: `"${quote(key, 100)}" is already ${quote(name, 100)} ${run.id}, nothing new is started`,
  };
}

/** When it was stored, by the first entry of its journal; a run of now when there is none. */
async function bornAt(run: Run): Promise<number> {
  for await (const { at } of run.events({ since: 0 })) return at;
  return Number.POSITIVE_INFINITY;
}
