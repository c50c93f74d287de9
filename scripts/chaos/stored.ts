import type { FlowEvent, MageFlow, SignatureView } from "mageflow";
import type { Made } from "./tasks.ts";

/** Everything of a store that the checks look at, read through the public face. */
export interface Stored {
  readonly views: ReadonlyMap<string, SignatureView>;
  /** Steps and items of a container by slot. */
  readonly children: ReadonlyMap<string, readonly SignatureView[]>;
  readonly callbacks: ReadonlyMap<string, readonly SignatureView[]>;
  readonly roots: readonly SignatureView[];
  /** Results of the tasks that succeeded. */
  readonly results: ReadonlyMap<string, Made>;
  readonly journals: ReadonlyMap<string, readonly FlowEvent[]>;
}

/** `settled` are the roots that are known to have ended with everything under them; those in `except` are left out. */
export async function readStored(
  mage: MageFlow,
  settled: ReadonlySet<string>,
  except: ReadonlySet<string>,
): Promise<Stored> {
  const views = new Map<string, SignatureView>();
  const children = new Map<string, SignatureView[]>();
  const callbacks = new Map<string, SignatureView[]>();
  const roots: SignatureView[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page = await mage.list({ roots: false, limit: 500, ...(cursor === "" ? {} : { cursor }) });
    for (const view of page.items) {
      if (except.has(view.rootId)) continue;
      views.set(view.id, view);
      if (view.role === "root") roots.push(view);
      else if (view.role === "step" || view.role === "item") grouped(children, view.parentId!).push(view);
      else grouped(callbacks, view.parentId!).push(view);
    }
    cursor = page.next;
  }
  for (const list of children.values()) list.sort((a, b) => a.slot - b.slot);
  const results = new Map<string, Made>();
  const read = async ({ id }: SignatureView): Promise<void> => {
    const run = await mage.get<Made>(id);
    results.set(id, await run.result({ timeout: "10s" }));
  };
  const succeeded = [...views.values()].filter(
    ({ kind, status }) => kind === "task" && status === "SUCCEEDED",
  );
  for (let i = 0; i < succeeded.length; i += 200) await Promise.all(succeeded.slice(i, i + 200).map(read));
  const journals = new Map<string, FlowEvent[]>();
  for (const { id } of roots) {
    if (settled.has(id)) journals.set(id, await Array.fromAsync((await mage.get(id)).events({ since: 0 })));
  }
  return { views, children, callbacks, roots, results, journals };
}

function grouped<T>(groups: Map<string, T[]>, key: string): T[] {
  let group = groups.get(key);
  if (group === undefined) groups.set(key, (group = []));
  return group;
}
