import type { MageFlow, SignatureView } from "mageflow";

/** All that lies inside a container, at any depth. Callbacks are not inside. */
export async function everythingIn(mage: MageFlow, id: string): Promise<SignatureView[]> {
  const run = await mage.get(id);
  const found: SignatureView[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await run.children(cursor === undefined ? {} : { cursor });
    for (const child of page.items) {
      found.push(child);
      if (child.kind !== "task") found.push(...(await everythingIn(mage, child.id)));
    }
    cursor = page.next;
  }
  return found;
}
