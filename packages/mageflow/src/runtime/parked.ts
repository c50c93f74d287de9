import { isGuardedFrom } from "../core/lock.ts";
import { isParked } from "../core/recovery.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Store } from "../ports/store.ts";
import { record as audit } from "./audit.ts";
import type { Runtime } from "./runtime.ts";

const PAGE = 500;

/**
 * Ids of the tasks inside a container that were parked, at any depth: its steps and items, and theirs. Looks into what has begun and has
 * not ended, which windows keep from growing with the container.
 */
export async function parkedInside(store: Store, { id, kind }: SignatureRecord): Promise<string[]> {
  const parked: string[] = [];
  const containers = kind === "task" ? [] : [id];
  for (let parentId = containers.pop(); parentId !== undefined; parentId = containers.pop()) {
    let page: SignatureRecord[] = [];
    do {
      const after: number | null = page.at(-1)?.slot ?? null;
      const statuses = ["RUNNING", "SUSPENDED", "INTERRUPTED"] as const;
      page = await store.children({ parentId, of: "children", statuses, after, limit: PAGE });
      for (const child of page) {
        if (child.kind !== "task") containers.push(child.id);
        else if (isParked(child)) parked.push(child.id);
      }
    } while (page.length === PAGE);
  }
  return parked;
}

/**
 * Lets tasks that were parked inside a container go on, so many a transaction, each of which tells the audit trail how many. Those that
 * somebody has locked stay, as do those that went on meanwhile.
 */
export async function resumeParked(
  runtime: Runtime,
  container: string,
  ids: readonly string[],
  token: string | null,
): Promise<void> {
  const { actor } = runtime;
  for (let from = 0; from < ids.length; from += PAGE) {
    const window = ids.slice(from, from + PAGE);
    await runtime.commit({
      locks: window,
      apply: async (batch) => {
        let parked = 0;
        for (const id of window) {
          const record = batch.get(id);
          if (record === undefined || batch.isRemoved(record) || !isParked(record)) continue;
          if (isGuardedFrom(batch, record, token)) continue;
          batch.tell(record, { type: "resume" });
          parked++;
        }
        if (parked > 0)
          await audit(batch, { actor, action: "resume", target: container, details: { parked } });
      },
    });
  }
}
