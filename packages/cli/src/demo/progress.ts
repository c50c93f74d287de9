import progressBars, { type SingleBar } from "cli-progress";
import type { MageFlow, Run, SignatureView } from "mageflow";
import { note } from "../output.ts";
import { everythingIn } from "./inside.ts";

/** The tasks of one name, or the blocks that they are part of. */
interface Stage {
  readonly name: string;
  readonly total: number;
  done: number;
  failed: number;
  skipped: number;
}

/** Shows how far the stages are. */
export interface Display {
  begin(stages: readonly Stage[]): void;
  advance(stage: Stage): void;
  say(line: string): void;
  end(): void;
}

/** Follows a workflow until it is settled, and gives the ids of the callbacks that have fired. */
export async function follow(mage: MageFlow, run: Run, display: Display): Promise<string[]> {
  const inside = new Map((await everythingIn(mage, run.id)).map((view) => [view.id, view]));
  const counted = [...inside.values()].filter(isCounted);
  const stageOf = new Map<string, Stage>();
  for (const [name, views] of Map.groupBy(counted, (view) => view.name)) {
    const stage: Stage = { name, total: views.length, done: 0, failed: 0, skipped: 0 };
    for (const { id } of views) stageOf.set(id, stage);
  }
  const callbacks = new Set<string>();
  display.begin([...new Set(stageOf.values())]);
  for await (const event of run.events({ since: 0 })) {
    const stage = stageOf.get(event.id);
    if (isCallback(event.id)) callbacks.add(event.id);
    if (stage === undefined) continue;
    if (event.type === "retrying") {
      const { parentId } = inside.get(event.id) ?? { parentId: null };
      const block = inside.get(parentId ?? "")?.key ?? "";
      display.say(`${stage.name} ${block} failed, attempt ${event.attempt} follows`);
    }
    if (event.type === "failed") stage.failed++;
    else if (event.type === "skipped") stage.skipped++;
    else if (event.type !== "succeeded") continue;
    stage.done++;
    display.advance(stage);
  }
  display.end();
  return [...callbacks];
}

/** Tasks, and chains that are items of a swarm. */
function isCounted({ kind, role }: SignatureView): boolean {
  return kind === "task" || (kind === "chain" && role === "item");
}

/** An id is a path, and the place of a callback starts with its role. */
function isCallback(id: string): boolean {
  return /\.[A-Za-z]+\d+(g\d+)?$/.test(id);
}

export function displayFor(options: { json: boolean }): Display {
  if (options.json) return silent;
  return process.stderr.isTTY ? bars() : lines();
}

const silent: Display = { begin() {}, advance() {}, say() {}, end() {} };

function lines(): Display {
  return {
    ...silent,
    advance: (stage) => {
      if (stage.done === stage.total) note(`${stage.name}: ${describe(stage)}`);
    },
    say: note,
  };
}

function bars(): Display {
  const multi = new progressBars.MultiBar({
    format: "{name} {bar} {value}/{total} {note}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    clearOnComplete: false,
    gracefulExit: false,
    forceRedraw: true,
    stream: process.stderr,
  });
  const stop = (): void => multi.stop();
  process.once("exit", stop);
  const barOf = new Map<string, SingleBar>();
  return {
    begin: (stages) => {
      const width = Math.max(...stages.map(({ name }) => name.length));
      for (const { name, total } of stages) {
        barOf.set(name, multi.create(total, 0, { name: name.padEnd(width), note: "" }));
      }
    },
    advance: (stage) => barOf.get(stage.name)?.update(stage.done, { note: troubles(stage) }),
    say: (line) => multi.log(`${line}\n`),
    end: () => {
      process.off("exit", stop);
      stop();
    },
  };
}

function describe(stage: Stage): string {
  return [`${stage.done - stage.failed - stage.skipped} of ${stage.total} done`, troubles(stage)]
    .filter((part) => part !== "")
    .join(", ");
}

function troubles({ failed, skipped }: Stage): string {
  return [...(failed > 0 ? [`${failed} failed`] : []), ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(
    ", ",
  );
}
