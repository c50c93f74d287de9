import type { Command } from "commander";
import type { Status } from "mageflow";
import { action, commaList, wholeNumber } from "../action.ts";
import { cancelAll } from "../cancel-all.ts";
import { cancelOne } from "../cancel-one.ts";
import { CommandError } from "../exit-codes.ts";
import { withStore } from "../open-store.ts";
import { statusList } from "../statuses.ts";

interface CancelOptions {
  readonly name?: string[];
  readonly tag?: string;
  readonly status?: Status[];
  readonly reason?: string;
  readonly yes?: boolean;
  readonly token?: string;
  readonly limit: number;
}

export function addCancel(program: Command): void {
  program
    .command("cancel")
    .argument("[id]", "id of a workflow; without, all that the filters fit")
    .summary("stop a workflow and remove everything of it")
    .description(
      "Stops a workflow, lets its cleanups run, and then removes everything that is stored of it but for the audit trail and a tombstone. First it " +
        "prints what would be removed and a token that is good for five minutes, and does nothing: it is carried out with --token, with --yes, or " +
        "when somebody at the terminal types yes. A token is refused when the workflow has begun again or grown since.",
    )
    .option("-n, --name <names>", "all workflows with these names", commaList)
    .option("-t, --tag <tag>", "all workflows with this tag")
    .option("-s, --status <statuses>", "all workflows with these statuses", statusList)
    .option("-r, --reason <text>", "why, for the audit trail and for those who ask for it later")
    .option("-y, --yes", "carry it out without asking")
    .option("--token <token>", "carry out what this token was printed for")
    .option("-l, --limit <n>", "most workflows that are cancelled by filters", wholeNumber(1), 1_000)
    .addHelpText(
      "after",
      "\nExamples:\n  npx mageflow cancel 01jd… --reason 'wrong input'\n  npx mageflow cancel --tag import --status RUNNING,WAITING --yes",
    )
    .action(
      action<[string | undefined], CancelOptions>(async ([id], options) => {
        requireOneWay(id, options);
        return withStore(options.store, (mage) =>
          id === undefined ? cancelAll(mage, options) : cancelOne(mage, id, options),
        );
      }),
    );
}

/** An id or filters, and a token for an id only. */
function requireOneWay(id: string | undefined, { name, tag, status, yes, token }: CancelOptions): void {
  const filtered = [name, tag, status].some((filter) => filter !== undefined);
  let wrong: string | null = null;
  if (id === undefined && !filtered) wrong = "it is not said what to cancel";
  else if (id !== undefined && filtered) wrong = "an id and filters are both given";
  else if (id === undefined && token !== undefined) wrong = "--token is for one workflow";
  else if (token !== undefined && yes === true) wrong = "--token and --yes are both given";
  if (wrong === null) return;
  throw new CommandError(
    "USAGE",
    wrong,
    "give an id, with --token or --yes, or some of --name, --tag and --status",
  );
}
