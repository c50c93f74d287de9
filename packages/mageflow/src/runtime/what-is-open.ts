import { standsInCleanup } from "../core/ids.ts";
import { isCancelled, type SignatureRecord } from "../core/record.ts";
import { isEnded, type Status } from "../core/status.ts";
import type { Store } from "../ports/store.ts";

/** What keeps a signature from settling: something inside it, or one of its callbacks. */
export interface OpenPart {
  readonly id: string;
  readonly name: string;
  readonly status: Status;
}

/** Signatures that are looked into, and parts that are named. */
const LOOKED_INTO = 50;
const NAMED = 3;

/**
 * Some of what keeps a signature from settling, from the outside in. What somebody has stopped comes before what goes on by itself, for
 * without somebody nothing more comes of it.
 */
export async function openParts(store: Store, record: SignatureRecord): Promise<OpenPart[]> {
  const { stopped, going } = await find(store, record);
  return [...stopped, ...going].slice(0, NAMED);
}

/** What keeps a workflow from being removed, and what to do about it. */
export async function whatIsOpen(store: Store, root: SignatureRecord): Promise<string> {
  const { stopped, going } = await find(store, root);
  const open = [...stopped, ...going];
  const names = open.slice(0, NAMED).map(({ id, name, status }) => `"${id}" (${name}, ${status})`);
  const more = open.length > NAMED ? " and more" : "";
  const what = names.length === 0 ? "" : `open inside it: ${names.join(", ")}${more}; `;
  if (isCancelled(root)) return `${what}wait for its cleanups, or give them up with abandonCleanups`;
  const deeds = [
    ...(stopped.length > 0 || root.status === "SUSPENDED" ? ["resume what was stopped"] : []),
    ...(going.length > 0 || stopped.length === 0 ? ["wait for settled()"] : []),
  ];
  return `${what}${deeds.join(", ")}, or cancel the workflow`;
}

/** Goes down by what each signature waits for, which is bounded, whatever the size of the workflow. */
async function find(
  store: Store,
  above: SignatureRecord,
): Promise<{ stopped: OpenPart[]; going: OpenPart[] }> {
  const [stopped, going]: [OpenPart[], OpenPart[]] = [[], []];
  const seen = new Set([above.id]);
  let level = [above.id];
  while (level.length > 0 && seen.size < LOOKED_INTO) {
    const awaited = [...(await store.awaited(level)).values()].flat();
    level = [];
    for (const record of awaited) {
      const { id, name, kind, status } = record;
      if (seen.has(id)) continue;
      seen.add(id);
      if (isLeft(above, record)) {
        stopped.push({ id, name, status });
        continue;
      }
      const goes = status === "READY" || status === "RUNNING" || status === "WAITING";
      if (goes) going.push({ id, name, status });
      if (status === "INTERRUPTED" || isEnded(status) || (goes && kind !== "task")) level.push(id);
    }
  }
  return { stopped, going };
}

/** Whether it waits for somebody: not while it still stops, nor for what is around it, which keeps what is in no cleanup. */
function isLeft(above: SignatureRecord, { id, status, stop, heldBy }: SignatureRecord): boolean {
  if (status !== "SUSPENDED" && status !== "INTERRUPTED") return false;
  if (heldBy !== null || (stop !== null && !stop.done)) return false;
  return above.status !== "INTERRUPTED" || standsInCleanup(id, above.id);
}
