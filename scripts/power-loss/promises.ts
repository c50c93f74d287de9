import { isDeepStrictEqual } from "node:util";
import {
  GoneError,
  type Json,
  type MageFlow,
  NotFoundError,
  type SignatureView,
  WaitTimeoutError,
} from "mageflow";
import type { Line, Verb } from "./diary.ts";
import { outcomeOf } from "./stories.ts";

/** What a process was told of one workflow before it died. */
export interface Promised {
  readonly id: string;
  /** The last that was done, and that which was asked for and never answered. */
  readonly done: Verb;
  readonly pending: Verb | null;
  /** What `end` has seen. */
  readonly outcome: Json;
  /** Items that were added. */
  readonly children: readonly string[];
}

export function promisesOf(diary: readonly Line[]): Promised[] {
  const told = diary.filter(({ what }) => what === "told");
  const last = diary.findLast(({ what }) => what !== "step");
  return [...Map.groupBy(told, ({ id }) => id!)].map(([id, lines]) => ({
    id,
    done: lines.at(-1)!.verb!,
    pending: last?.what === "asks" && last.id === id ? last.verb! : null,
    outcome: lines.findLast(({ verb }) => verb === "end")?.outcome ?? null,
    children: lines.flatMap(({ child }) => child ?? []),
  }));
}

/** How a workflow is found when this was done last: a view, or that it is gone. */
type Found = SignatureView | "gone";

/** What is so when a verb was done, and nothing after it. */
const HOLDS: Readonly<Record<Verb, (found: Found) => boolean>> = {
  create: (found) => found !== "gone" && found.execution === "PENDING",
  submit: isStarted,
  start: isStarted,
  resume: isStarted,
  add: isStarted,
  close: isStarted,
  end: isEnded,
  restore: isEnded,
  rerun: (found) => isStarted(found) && found.generation === 2,
  suspend: (found) => found !== "gone" && found.execution === "SUSPENDED",
  interrupt: (found) => found !== "gone" && found.execution === "INTERRUPTED",
  delete: (found) => found !== "gone" && found.deletion !== null,
  purge: (found) => found === "gone",
  cancel: (found) => found === "gone" || found.execution === "CANCELLED",
};

function isStarted(found: Found): found is SignatureView {
  return found !== "gone" && !["PENDING", "SUSPENDED", "INTERRUPTED", "CANCELLED"].includes(found.execution);
}

function isEnded(found: Found): boolean {
  return found !== "gone" && found.finishedAt !== null && found.deletion === null;
}

/** What is not as it was told, of a store at which nobody is at work yet. */
export async function broken(mage: MageFlow, promised: Promised): Promise<string | null> {
  const { id, done, pending, outcome, children } = promised;
  const told = `${id}: "${done}" was answered`;
  const found = await find(mage, id);
  if (found === null) return `${told}, and it is not there`;
  const stands = HOLDS[done](found);
  if (!stands && (pending === null || !HOLDS[pending](found)))
    return `${told}, ${pending ?? "nothing"} was asked for, and it is ${found === "gone" ? found : found.status}`;
  for (const child of children)
    if (found !== "gone" && (await find(mage, child)) === null) return `${told}, and ${child} is not there`;
  if (outcome === null || found === "gone" || found.generation > generationOf(outcome)) return null;
  const run = await mage.get(id);
  const now = await outcomeOf(run).catch((error: unknown) => {
    if (error instanceof WaitTimeoutError) return "open";
    throw error;
  });
  if (isDeepStrictEqual(now, outcome)) return null;
  return `${told}, and it ended as ${JSON.stringify(outcome)}, which now is ${JSON.stringify(now)}`;
}

/** Orders that leave a row in the audit trail, by their names there. */
const AUDITED: ReadonlySet<Verb | undefined> = new Set<Verb>([
  "suspend",
  "resume",
  "interrupt",
  "delete",
  "restore",
  "rerun",
  "purge",
  "cancel",
]);

/** Orders that were answered, and that the audit trail does not tell of. */
export async function untold(mage: MageFlow, diary: readonly Line[]): Promise<string[]> {
  const rows = await mage.audit.list({ limit: 500 });
  const deeds = new Set(rows.map(({ action, target }) => `${action} ${target}`));
  return diary
    .filter(({ what, verb }) => what === "told" && AUDITED.has(verb))
    .map(({ verb, id }) => `${verb} ${id}`)
    .filter((deed) => !deeds.has(deed));
}

function generationOf(outcome: Json): number {
  return (outcome as { generation: number }).generation;
}

async function find(mage: MageFlow, id: string): Promise<Found | null> {
  try {
    return await (await mage.get(id)).view();
  } catch (error) {
    if (error instanceof GoneError) return "gone";
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}
