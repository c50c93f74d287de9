import type { MageFlow, Run, SignatureView } from "mageflow";
import type { Quote } from "./plain-text.ts";
import { number } from "./span.ts";

/** Time between two looks (ms): what is told of waits for a person anyway. */
const LOOK_MS = 2_000;
/** A store that has not answered for so long (ms) was away: leases may have lapsed meanwhile although their workers live. */
const AWAY_MS = 5_000;
/** Until then (ms) such workers have shown themselves again; it is the lease of those that say nothing else. */
const BACK_MS = 15_000;
/** The library counts ready tasks no further. */
const COUNTED = 1_000;
/** Containers inside each other that are looked into for an open swarm. */
const DEEPEST = 8;

export interface StuckOptions {
  readonly mage: MageFlow;
  /** Only what is in this workflow; default everything in the store. */
  readonly run?: Run;
  readonly say: (line: string) => void;
  readonly quote: Quote;
}

/**
 * Says, once for each, what waits for something that this process cannot give: ready tasks that no live worker has registered, and in
 * a workflow an open swarm in which nothing is left to run. Ends with the function that it returns.
 */
export function watchStuck({ mage, run, say, quote }: StuckOptions): () => void {
  const said = new Set<string>();
  let idle: string | null = null;
  const once = (what: string, line: string): void => {
    if (!said.has(what)) say(line);
    said.add(what);
  };
  let heardAt = performance.now();
  let trustedAt = 0;
  const look = async (): Promise<void> => {
    const unhandled = await mage.unhandled();
    const now = performance.now();
    if (now - heardAt > AWAY_MS) trustedAt = now + BACK_MS;
    heardAt = now;
    for (const [name, ready] of now < trustedAt ? [] : unhandled) {
      if (run === undefined || (await waitsIn(mage, run, name)))
        once(name, unhandledLine(quote(name, 100), ready));
    }
    const swarm = run === undefined ? null : await idleSwarm(mage, run);
    // Between its last item and its end a closed one looks the same for a moment.
    if (swarm !== null && swarm.id === idle) once(swarm.id, openLine(swarm.id, quote(swarm.name, 100)));
    idle = swarm?.id ?? null;
  };
  let over = false;
  const loop = async (): Promise<void> => {
    while (!over) {
      // The run itself tells of a store that cannot be read.
      await look().catch(() => {});
      await new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS).unref());
    }
  };
  void loop();
  return () => {
    over = true;
  };
}

async function waitsIn(mage: MageFlow, run: Run, name: string): Promise<boolean> {
  const status = ["READY", "RUNNING"] as const;
  const { items } = await mage.list({ roots: false, root: run.id, name, status, limit: 1 });
  return items.length > 0;
}

/** The innermost running container, when it is a swarm of which everything has ended. */
async function idleSwarm(mage: MageFlow, root: Run): Promise<SignatureView | null> {
  let run = root;
  let view = await root.view();
  for (let depth = 0; depth < DEEPEST && view.execution === "RUNNING"; depth++) {
    const { items } = await run.children({ limit: 100 });
    const inner = items.find(({ kind, execution }) => kind !== "task" && execution === "RUNNING");
    if (inner !== undefined) {
      view = inner;
      run = await mage.get(inner.id);
      continue;
    }
    const { total, succeeded, failed, skipped } = await run.counts();
    return view.kind === "swarm" && succeeded + failed + skipped === total ? view : null;
  }
  return null;
}

function unhandledLine(name: string, ready: number): string {
  const count = ready >= COUNTED ? "1,000 or more" : number(ready);
  return `no worker runs "${name}": ${count} waiting; register it on the exported \`mage\`, or start a worker that has it`;
}

function openLine(id: string, name: string): string {
  return `swarm "${name}" is open and everything in it has ended; it waits for items, or for \`(await mage.get("${id}")).close()\``;
}
