import progressBars from "cli-progress";
import type { MageFlow, Run, RunStatus, SignatureView } from "mageflow";
import { clip } from "./plain-text.ts";
import { number } from "./span.ts";

/** Time between two looks at a workflow (ms). A look costs the same for ten items and for ten million. */
const LOOK_MS = 200;

/** Containers inside each other that are looked into for the one that is busy. */
const DEEPEST = 8;

export interface Watching {
  stop(): void;
}

/** Shows how far a workflow is on stderr while it runs; nothing when that is no terminal. */
export function watchProgress(mage: MageFlow, run: Run): Watching {
  if (!process.stderr.isTTY) return { stop: () => {} };
  const bar = new progressBars.SingleBar({
    format: "{bar} {text}",
    barsize: 24,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
    stream: process.stderr,
  });
  let over = false;
  let drawn = false;
  const look = async (): Promise<void> => {
    const { status, inside, fraction } = await busiest(mage, run);
    if (over) return;
    if (!drawn) bar.start(1_000, 0, { text: "" });
    drawn = true;
    bar.update(Math.round(fraction * 1_000), {
      text: clip(progressText(status, inside), 100),
    });
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
      if (drawn) bar.stop();
    },
  };
}

export interface Inside {
  readonly view: SignatureView;
  readonly status: RunStatus;
}

/** `3/20 · resize all 1,204/5,000 (2 failed)` */
export function progressText({ status, counts, heldBy }: RunStatus, inside: Inside | null): string {
  const parts = [counts.total === 0 ? status : amount(counts)];
  if (counts.total > 0 && status !== "RUNNING") parts.push(status);
  if (heldBy !== null) parts.push("held by a suspension");
  if (inside !== null) {
    const { name } = inside.view;
    parts.push(inside.status.counts.total === 0 ? name : `${name} ${amount(inside.status.counts)}`);
  }
  return parts.join(" · ");
}

function amount({ total, succeeded, failed, skipped }: RunStatus["counts"]): string {
  const text = `${number(succeeded + failed + skipped)}/${number(total)}`;
  return failed > 0 ? `${text} (${number(failed)} failed)` : text;
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
    const view = items.find((child) => child.status === "RUNNING" && child.role === "step");
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
