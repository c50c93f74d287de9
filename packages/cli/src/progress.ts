import type { MageFlow, Run, RunStatus, SignatureView } from "mageflow";
import { clip } from "./plain-text.ts";
import { number } from "./span.ts";
import { StatusLine } from "./status-line.ts";

/** Time between two looks at a workflow (ms). A look costs the same for ten items and for ten million. */
const LOOK_MS = 200;

/** Containers inside each other that are looked into for the one that is busy. */
const DEEPEST = 8;

const BAR_CHARS = 24;

export interface Watching {
  /** Takes the bar away. Stopping again changes nothing. */
  stop(): void;
}

/** Shows how far a workflow is on stderr while it runs; nothing when that is no terminal. */
export function watchProgress(mage: MageFlow, run: Run): Watching {
  if (!process.stderr.isTTY) return { stop: () => {} };
  const line = new StatusLine();
  let over = false;
  const look = async (): Promise<void> => {
    const { status, inside, fraction } = await busiest(mage, run);
    if (over) return;
    line.show(clip(`${bar(fraction)} ${progressText(status, inside)}`, (process.stderr.columns || 80) - 1));
  };
  const loop = async (): Promise<void> => {
    while (!over) {
      // A look that fails is no reason to stop: the run itself tells what is wrong.
      await look().catch(() => {});
      await new Promise<void>((resolve) => setTimeout(resolve, LOOK_MS).unref());
    }
  };
  void loop();
  return {
    stop: () => {
      over = true;
      line.end();
    },
  };
}

function bar(fraction: number): string {
  const full = Math.round(Math.max(0, Math.min(1, fraction)) * BAR_CHARS);
  return "█".repeat(full).padEnd(BAR_CHARS, "░");
}

export interface Inside {
  readonly view: SignatureView;
  readonly status: RunStatus;
}

/** `3/20 · resize all 1,204/5,000 (2 failed)`, or of tasks what they say themselves: `1/3 · encode 40% first pass` */
export function progressText(root: RunStatus, inside: Inside | null): string {
  const { status, execution, counts, heldBy } = root;
  const own = counts.total === 0 ? noted(root) : amount(counts);
  const parts: string[] = own === "" ? [execution] : [own];
  if (own !== "" && execution !== "RUNNING") parts.push(execution);
  if (status !== execution) parts.push(status);
  if (heldBy !== null) parts.push("held by what is around it");
  if (inside !== null) {
    const { total } = inside.status.counts;
    parts.push(`${inside.view.name} ${total === 0 ? noted(inside.status) : amount(inside.status.counts)}`);
  }
  return parts.join(" · ").trimEnd();
}

function amount({ total, succeeded, failed, skipped }: RunStatus["counts"]): string {
  const text = `${number(succeeded + failed + skipped)}/${number(total)}`;
  return failed > 0 ? `${text} (${number(failed)} failed)` : text;
}

/** What a task has told of its progress; empty when it has told nothing. */
function noted({ progress: { fraction, note } }: RunStatus): string {
  if (fraction === 0 && note === null) return "";
  return `${Math.floor(fraction * 100)}%${note === null ? "" : ` ${note}`}`;
}

/** The workflow, the innermost step that it is at, and how far it is when that step counts in part. */
async function busiest(
  mage: MageFlow,
  root: Run,
): Promise<{ status: RunStatus; inside: Inside | null; fraction: number }> {
  const status = await root.status();
  const shares: { done: number; total: number }[] = [];
  let inside: Inside | null = null;
  let run: Run = root;
  let now = status;
  for (let depth = 0; depth < DEEPEST; depth++) {
    const { items } = await run.children({ limit: 100 });
    const view = items.find((child) => child.execution === "RUNNING" && child.role === "step");
    if (view === undefined) break;
    const { succeeded, failed, skipped, total } = now.counts;
    shares.push({ done: succeeded + failed + skipped, total });
    run = await mage.get(view.id);
    now = await run.status();
    inside = { view, status: now };
  }
  const fraction = shares.reduceRight(
    (part, { done, total }) => (done + part) / total,
    now.progress.fraction,
  );
  return { status, inside, fraction };
}
