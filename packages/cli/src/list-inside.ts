import type { ListFilter, MageFlow, Page, SignatureView } from "mageflow";

/**
 * What is inside a signature and fits a filter, newest first. The library lists by workflow; of a part of one, pages are read until
 * enough of it is found, so that there may be some more than the limit.
 */
export async function listInside(
  mage: MageFlow,
  { id, rootId }: SignatureView,
  filter: ListFilter & { readonly limit: number },
): Promise<Page<SignatureView>> {
  const found: SignatureView[] = [];
  let { cursor } = filter;
  for (;;) {
    const page = await mage.list({
      ...filter,
      roots: false,
      root: rootId,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.items.filter((view) => view.id.startsWith(`${id}.`)));
    if (page.next === null || found.length >= filter.limit) return { items: found, next: page.next };
    cursor = page.next;
  }
}
