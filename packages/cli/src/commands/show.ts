import type { Command } from "commander";
import type { MageFlow, Page, Run, SignatureView, Status } from "mageflow";
import { action, type Globals, wholeNumber } from "../action.ts";
import { commandLine, typedWith } from "../command-line.ts";
import { errorLines } from "../error-lines.ts";
import { CommandError } from "../exit-codes.ts";
import { factLines } from "../fact-lines.ts";
import { isGone } from "../is-gone.ts";
import { leftOpenLines } from "../left-open.ts";
import { withStore } from "../open-store.ts";
import { print, printJson } from "../output.ts";
import { paint, paintStatus } from "../paint.ts";
import { clip } from "../plain-text.ts";
import { readSubtree, type Shown } from "../read-subtree.ts";
import { resultLines } from "../result-lines.ts";
import { screenWidth } from "../screen.ts";
import { insideLines } from "../signature-tree.ts";
import { statusList } from "../statuses.ts";
import { stubLines } from "../stub-lines.ts";

interface ShowOptions {
  readonly limit: number;
  readonly cursor?: string;
  readonly status?: Status[];
}

/** A result is shown up to here; --verbose and --json show all. */
const RESULT_CHARS = 600;

export function addShow(program: Command): void {
  program
    .command("show")
    .argument("<id>", "id of a workflow, step, item or callback, as `ps` shows it")
    .summary("show one signature with what is inside it")
    .description(
      "Shows one signature: its status and counts, its result, or its error with path and causes, its children and callbacks. With --verbose " +
        "the whole result, and the stacks of errors. Of what was removed it shows the stub, if one was kept, and ends with 4.",
    )
    .option("-s, --status <statuses>", "only children and callbacks with these", statusList)
    .option("-l, --limit <n>", "children and callbacks to show, at most 500", wholeNumber(1, 500), 20)
    .option("--cursor <cursor>", "go on with the children where another page ended")
    .action(
      action<[string], ShowOptions>(async ([id], options) =>
        withStore(options.store, async (mage: MageFlow) => {
          const run = await mage.get(id).catch(async (error: unknown) => {
            // What was kept of it is shown before it is said that it is gone.
            if (isGone(error)) await showStub(mage, id, options);
            throw error;
          });
          const signature = await run.view();
          const [status, result, inside] = await Promise.all([
            run.status(),
            signature.execution === "SUCCEEDED" ? readResult(run) : null,
            readInside(run, options),
          ]);
          const cancelled = result === CANCELLED;
          const shown = { signature, status, result: cancelled ? null : result, cancelled, ...inside };
          if (options.json) printJson(shown);
          else for (const line of await pageLines(mage, shown, options)) print(line);
          return 0;
        }),
      ),
    );
}

async function showStub(mage: MageFlow, id: string, { json }: Globals): Promise<void> {
  const tombstone = await mage.tombstone(id);
  if (tombstone === null || tombstone.stub === null) return;
  if (json) printJson({ tombstone });
  else for (const line of stubLines(tombstone, tombstone.stub)) print(line);
}

/** What had succeeded before it was cancelled has no result any more. */
const CANCELLED = Symbol("cancelled");

async function readResult(run: Run): Promise<unknown> {
  return run.result().catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "CANCELLED") return CANCELLED;
    throw error;
  });
}

async function readInside(run: Run, options: ShowOptions): Promise<Pick<Shown, "children" | "callbacks">> {
  const { status, cursor, limit } = options;
  if (cursor !== undefined && !/^\d+$/.test(cursor)) {
    throw new CommandError(
      "USAGE",
      `"${cursor}" is not a cursor`,
      "copy the command that the page before ended with",
    );
  }
  const page = { limit, ...(status === undefined ? {} : { status }) };
  const [children, callbacks]: Page<SignatureView>[] = await Promise.all([
    run.children({ ...page, ...(cursor === undefined ? {} : { cursor }) }),
    run.callbacks(page),
  ]);
  return { children: children!, callbacks: callbacks! };
}

async function pageLines(mage: MageFlow, shown: Shown, options: ShowOptions & Globals): Promise<string[]> {
  const { signature, status, result, cancelled } = shown;
  const { verbose, typed } = options;
  const tree = await readSubtree(mage, shown, options.status === undefined);
  const inside = insideLines(tree, {
    width: screenWidth(),
    now: Date.now(),
    more: (of, cursor) =>
      of === signature.id || options.status === undefined
        ? typedWith(
            typed.map((word) => (word === signature.id ? of : word)),
            ["--cursor"],
            cursor,
          )
        : commandLine(["show", of, "--cursor", cursor], options),
  });
  const succeeded = signature.execution === "SUCCEEDED" && !cancelled;
  return [
    `${paintStatus(status.status)}  ${paint("bold", clip(signature.name, 200))}  ${signature.kind}`,
    ...factLines(signature, status, Date.now()),
    ...leftOpenLines(status, options),
    ...(signature.error === null ? [] : ["", ...errorLines(signature.error, verbose)]),
    ...(cancelled ? ["", paint("red", "it was cancelled, and is removed when its cleanups have run")] : []),
    ...(succeeded
      ? [
          "",
          ...titled(
            resultLines(result, {
              most: verbose ? Number.POSITIVE_INFINITY : RESULT_CHARS,
              width: screenWidth() - 2,
            }),
          ),
        ]
      : []),
    ...(inside.length === 0 ? [] : ["", ...inside]),
  ];
}

function titled(lines: readonly string[]): string[] {
  const title = `${paint("green", "result")}:`;
  return lines.length === 1 ? [`${title} ${lines[0]}`] : [title, ...lines.map((line) => `  ${line}`)];
}
