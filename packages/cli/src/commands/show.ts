import type { Command } from "commander";
import type { MageFlow } from "mageflow";
import { action, wholeNumber } from "../action.ts";
import { commandLine, typedWith } from "../command-line.ts";
import { withStore } from "../open-store.ts";
import { print, printJson } from "../output.ts";
import { readSubtree, rootLines } from "../signature-tree.ts";

interface ShowOptions {
  readonly limit: number;
  readonly cursor?: string;
}

export function addShow(program: Command): void {
  program
    .command("show")
    .argument("<id>", "id of a workflow, step, item or callback, as `ps` shows it")
    .summary("show one signature with what is inside it")
    .description(
      "Shows one signature: its status and counts, its error with path and causes, its children and callbacks.",
    )
    .option("-l, --limit <n>", "children and callbacks to show, at most 500", wholeNumber(1), 20)
    .option("--cursor <cursor>", "go on with the children where another page ended")
    .action(
      action<[string], ShowOptions>(async ([id], options) =>
        withStore(options.store, async (mage: MageFlow) => {
          const run = await mage.get(id);
          const limit = Math.min(500, options.limit);
          const [signature, status, children, callbacks] = await Promise.all([
            run.view(),
            run.status(),
            run.children({ limit, ...(options.cursor === undefined ? {} : { cursor: options.cursor }) }),
            run.callbacks({ limit }),
          ]);
          if (options.json) {
            printJson({ signature, status, children, callbacks });
            return 0;
          }
          const tree = await readSubtree(mage, { signature, status, children, callbacks });
          const more = (of: string, cursor: string): string =>
            of === id
              ? typedWith(options.typed, ["--cursor"], cursor)
              : commandLine(["show", of, "--cursor", cursor], options.store);
          for (const line of rootLines(tree, Date.now(), more)) print(line);
          return 0;
        }),
      ),
    );
}
