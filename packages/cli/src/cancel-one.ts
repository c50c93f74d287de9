import type { MageFlow } from "mageflow";
import type { Globals } from "./action.ts";
import { typedWith } from "./command-line.ts";
import { carriedOutLine, carryOut, isWanted } from "./confirmation.ts";
import { EXIT } from "./exit-codes.ts";
import { impactText } from "./impact-text.ts";
import { isGone } from "./is-gone.ts";
import { print, printJson } from "./output.ts";
import { paint, paintStatus } from "./paint.ts";
import { clip } from "./plain-text.ts";
import { instant } from "./span.ts";

interface Options extends Globals {
  readonly reason?: string;
  readonly yes?: boolean;
  readonly token?: string;
}

/** Prints what cancelling a workflow would remove, and does it when that is confirmed. */
export async function cancelOne(mage: MageFlow, id: string, options: Options): Promise<number> {
  const { json, typed, reason, token } = options;
  if (token !== undefined) {
    const name = await nameOf(mage, id);
    const removed = await carryOut(mage, id, { token, reason });
    if (json) printJson({ id, name, cancelled: true, removed });
    else print(carriedOutLine(id, name, removed));
    return EXIT.ok;
  }
  const run = await mage.get(id);
  const { name, status } = await run.view();
  const plan = await run.planCancel();
  if (!json) {
    print(`${paintStatus(status)}  ${clip(name, 100)}  ${clip(id, 400)}`);
    print(`  removes  ${impactText(plan.impact)}`);
    // What --yes carries out at once leaves nothing to come back with.
    if (options.yes !== true) print(`  token    ${plan.token} (until ${instant(plan.expiresAt)})`);
  }
  const cancelled = await isWanted(`Cancel ${clip(name, 100)} (${clip(id, 400)})?`, options);
  const removed = cancelled && (await carryOut(mage, id, { token: plan.token, reason }));
  const { impact, expiresAt } = plan;
  if (json) printJson({ id, name, status, impact, token: plan.token, expiresAt, cancelled, removed });
  else if (cancelled) print(carriedOutLine(id, name, removed));
  else print(paint("dim", `nothing is cancelled yet: ${typedWith(typed, ["--token"], plan.token)}`));
  return EXIT.ok;
}

/** Null when it was removed before: confirming again changes nothing. */
async function nameOf(mage: MageFlow, id: string): Promise<string | null> {
  try {
    return (await (await mage.get(id)).view()).name;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}
