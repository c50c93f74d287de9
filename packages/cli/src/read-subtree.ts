import type { MageFlow, Page, RunStatus, SignatureView } from "mageflow";

/** What `show` knows of a signature. */
export interface Shown {
  readonly signature: SignatureView;
  readonly status: RunStatus;
  /** Null when it has not succeeded. */
  readonly result: unknown;
  /** It had succeeded before it was cancelled, and is being removed. */
  readonly cancelled: boolean;
  readonly children: Page<SignatureView>;
  readonly callbacks: Page<SignatureView>;
}

/** A signature with as much of its inside as fits on a screen or two. */
export interface Tree {
  readonly view: SignatureView;
  readonly inside: readonly Tree[];
  /** Children that are not listed: how many when that is known, and the cursor to go on from. */
  readonly more: { readonly count: number | null; readonly cursor: string } | null;
}

/** Signatures that are drawn of what is inside: containers of a million items are not listed to the end. */
const NODES = 200;
const DEEPEST = 4;
const NESTED = 5;

/** Reads what is inside the children, level by level, until there is enough to show. `whole` is false when they are only some of all. */
export async function readSubtree(mage: MageFlow, shown: Shown, whole: boolean): Promise<Tree> {
  let left = NODES;
  const grow = async (view: SignatureView, depth: number): Promise<Tree> => {
    left--;
    if (depth > DEEPEST || left <= 0) return { view, inside: [], more: null };
    const run = await mage.get(view.id);
    const [children, callbacks] = await Promise.all([
      view.kind === "task" ? { items: [], next: null } : run.children({ limit: NESTED }),
      run.callbacks({ limit: NESTED }),
    ]);
    const more = children.next === null ? null : { count: null, cursor: children.next };
    return { view, inside: await growAll([...children.items, ...callbacks.items], depth), more };
  };
  // Siblings are read together: one after the other they would take as many journeys to the store.
  const growAll = (views: readonly SignatureView[], depth: number): Promise<Tree[]> =>
    Promise.all(views.map((view) => grow(view, depth + 1)));
  const { signature, status, children, callbacks } = shown;
  const inside = await growAll([...children.items, ...callbacks.items], 0);
  const last = children.items.at(-1);
  if (children.next === null || last === undefined) return { view: signature, inside, more: null };
  const count = whole ? status.counts.total - last.slot - 1 : null;
  return { view: signature, inside, more: count === 0 ? null : { count, cursor: children.next } };
}
