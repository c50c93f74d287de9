import type { MageFlow, Page, SignatureView } from "mageflow";

/** A workflow that is marked for deletion. */
export type Marked = SignatureView & { readonly deletion: NonNullable<SignatureView["deletion"]> };

/**
 * Workflows that are marked for deletion, the newest first. The library lists by status, and a mark is none: pages are read until enough
 * of them is found, so that there may be some more than the limit.
 */
export async function listMarked(
  mage: MageFlow,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<Page<Marked>> {
  const found: Marked[] = [];
  let at = cursor;
  for (;;) {
    const page = await mage.list({ limit, ...(at === undefined ? {} : { cursor: at }) });
    found.push(...page.items.filter((view): view is Marked => view.deletion !== null));
    if (page.next === null || found.length >= limit) return { items: found, next: page.next };
    at = page.next;
  }
}
