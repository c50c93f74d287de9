import { checkAt, type CheckInput, type Door, frontDoor, innerDoor } from "../core/door.ts";
import type { SignatureRecord } from "../core/record.ts";
import type { Store } from "../ports/store.ts";

/** Items that are read at once. */
const PAGE = 500;

/**
 * Checks the inputs that are complete when a stored root is started with its message: its own, those of its items or its first
 * step, and so on down. Items are read page by page.
 */
export async function checkStart(store: Store, root: SignatureRecord, check: CheckInput): Promise<void> {
  await enter(store, root, frontDoor(check));
}

async function enter(store: Store, record: SignatureRecord, door: Door): Promise<void> {
  const { id, kind, bound, message } = record;
  if (kind === "task") return checkAt(door, record);
  const inside = innerDoor(door, bound, message);
  const limit = kind === "chain" ? 1 : PAGE;
  for (let after: number | null = null; ;) {
    const children: SignatureRecord[] = await store.children({ parentId: id, of: "children", after, limit });
    for (const child of children) await enter(store, child, inside);
    if (kind === "chain" || children.length < limit) return;
    after = children.at(-1)!.slot;
  }
}
