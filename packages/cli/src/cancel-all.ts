import type { CancelPlan, ListFilter, MageFlow, SignatureView, Status } from "mageflow";
import type { Globals } from "./action.ts";
import { commandLine } from "./command-line.ts";
import { carriedOutLine, carryOut, isWanted } from "./confirmation.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { impactText, sumOf } from "./impact-text.ts";
import { isGone } from "./is-gone.ts";
import { print, printJson } from "./output.ts";
import { paint, paintStatus } from "./paint.ts";
import { clip } from "./plain-text.ts";
import { describe, type Reported } from "./report-error.ts";
import { number } from "./span.ts";

interface Options extends Globals {
  readonly name?: string[];
  readonly tag?: string;
  readonly status?: Status[];
  readonly reason?: string;
  readonly yes?: boolean;
  readonly limit: number;
}

interface Planned {
  readonly view: SignatureView;
  readonly plan: CancelPlan;
}

/** What became of one of them. */
type Outcome = { readonly removed: boolean } | { readonly error: Reported };

/** Plans that are made at the same time. */
const AT_ONCE = 20;
const PAGE = 500;
/** Workflows that are listed above the question. */
const LISTED = 20;

/**
 * Plans the cancellation of every workflow that fits, asks once, and carries them out one by one: one that has changed since stops
 * none of the others.
 */
export async function cancelAll(mage: MageFlow, options: Options): Promise<number> {
  const { json, typed, limit, reason } = options;
  const { planned, more } = await planAll(mage, options);
  if (!json) for (const line of planLines(planned, more ? limit : null)) print(line);
  const wanted = planned.length > 0 && (await isWanted(`Cancel ${counted(planned.length)}?`, options));
  const outcomes = new Map<string, Outcome>();
  for (const { view, plan } of wanted ? planned : []) {
    const outcome = await cancelPlanned(mage, view.id, { token: plan.token, reason });
    outcomes.set(view.id, outcome);
    if (!json) print(outcomeLine(view, outcome));
  }
  if (json) printJson({ items: planned.map((one) => planObject(one, outcomes.get(one.view.id))), more });
  else if (!wanted && planned.length > 0)
    print(paint("dim", `nothing is cancelled yet: ${commandLine([...typed, "--yes"], {})}`));
  for (const outcome of outcomes.values()) if ("error" in outcome) return exitCodeOf(outcome.error.code);
  return EXIT.ok;
}

/** The newest first; `more` is true when others fit beyond the limit. */
async function planAll(
  mage: MageFlow,
  { name, tag, status, limit }: Options,
): Promise<{ planned: Planned[]; more: boolean }> {
  const filter: ListFilter = {
    limit: PAGE,
    ...(name === undefined ? {} : { name }),
    ...(tag === undefined ? {} : { tag }),
    ...(status === undefined ? {} : { status }),
  };
  const views: SignatureView[] = [];
  let cursor: string | null = null;
  do {
    const page = await mage.list({ ...filter, ...(cursor === null ? {} : { cursor }) });
    views.push(...page.items.filter(({ execution }) => execution !== "CANCELLED"));
    cursor = page.next;
  } while (cursor !== null && views.length <= limit);
  const planned: Planned[] = [];
  for (let at = 0; at < Math.min(limit, views.length); at += AT_ONCE) {
    const some = views.slice(at, Math.min(limit, at + AT_ONCE)).map((view) => planOne(mage, view));
    planned.push(...(await Promise.all(some)).filter((one) => one !== null));
  }
  return { planned, more: views.length > limit };
}

/** Null when it was removed since it was listed. */
async function planOne(mage: MageFlow, view: SignatureView): Promise<Planned | null> {
  try {
    return { view, plan: await (await mage.get(view.id)).planCancel() };
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

async function cancelPlanned(
  mage: MageFlow,
  id: string,
  confirmed: { token: string; reason: string | undefined },
): Promise<Outcome> {
  try {
    return { removed: await carryOut(mage, id, confirmed) };
  } catch (error) {
    return { error: describe(error) };
  }
}

function planLines(planned: readonly Planned[], limit: number | null): string[] {
  if (planned.length === 0) return ["Nothing fits these filters."];
  const lines = planned
    .slice(0, LISTED)
    .map(
      ({ view, plan }) =>
        `${paintStatus(view.status)}  ${clip(view.name, 60)}  ${view.id}  ${paint("dim", impactText(plan.impact))}`,
    );
  if (planned.length > LISTED) lines.push(paint("dim", `… and ${number(planned.length - LISTED)} more`));
  lines.push(`${counted(planned.length)}: ${impactText(sumOf(planned.map(({ plan }) => plan.impact)))}`);
  if (limit !== null)
    lines.push(paint("yellow", `more fit than --limit ${limit}; the others are left as they are`));
  return lines;
}

function counted(workflows: number): string {
  return workflows === 1 ? "1 workflow" : `${number(workflows)} workflows`;
}

function outcomeLine(view: SignatureView, outcome: Outcome): string {
  if ("removed" in outcome) return carriedOutLine(view.id, view.name, outcome.removed);
  return `${paint("red", "not cancelled")}  ${clip(view.name, 100)}  ${view.id}  ${clip(outcome.error.message, 400)}`;
}

function planObject({ view, plan }: Planned, outcome: Outcome | undefined): object {
  const { id, name, status } = view;
  const { impact, token, expiresAt } = plan;
  const cancelled = outcome !== undefined && "removed" in outcome;
  const removed = cancelled && outcome.removed;
  const error = outcome !== undefined && "error" in outcome ? outcome.error : null;
  return { id, name, status, impact, token, expiresAt, cancelled, removed, error };
}
