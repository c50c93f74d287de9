import type { MageFlow } from "mageflow";
import type { Globals } from "./action.ts";
import { askYes, canAsk } from "./ask-yes.ts";
import { CommandError } from "./exit-codes.ts";
import { isGone } from "./is-gone.ts";
import { paint } from "./paint.ts";
import { clip } from "./plain-text.ts";
import { underLock } from "./under-lock.ts";

/**
 * True when it is to be carried out. Where nobody can be asked, it is not.
 *
 * @throws CommandError (`NOT_CONFIRMED`) when somebody was asked and did not type yes.
 */
export async function isWanted(
  question: string,
  { json, yes }: Globals & { yes?: boolean },
): Promise<boolean> {
  if (yes === true) return true;
  if (json || !canAsk()) return false;
  if (await askYes(question)) return true;
  throw new CommandError("NOT_CONFIRMED", "nothing is cancelled", "type a whole yes, or give --yes");
}

/** Cancels a workflow, and tells whether it is removed: false while something of it is still stopping or cleaning up. */
export async function carryOut(
  mage: MageFlow,
  id: string,
  { token, reason }: { token: string; reason: string | undefined },
): Promise<boolean> {
  const why = reason === undefined ? {} : { reason };
  await mage.confirmCancel(token, { target: id, ...why, ...underLock() });
  try {
    await mage.get(id);
    return false;
  } catch (error) {
    if (isGone(error)) return true;
    throw error;
  }
}

export function carriedOutLine(id: string, name: string | null, removed: boolean): string {
  const words = [
    paint("gray", removed ? "removed" : "cancelled"),
    ...(name === null ? [] : [clip(name, 100)]),
    clip(id, 400),
    ...(removed ? [] : [paint("dim", "it is removed when it has stopped and its cleanups have ended")]),
  ];
  return words.join("  ");
}
