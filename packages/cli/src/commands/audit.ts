import { type Command, Option } from "commander";
import type { AuditEntry, MageFlow } from "mageflow";
import { action, wholeNumber } from "../action.ts";
import { typedWith } from "../command-line.ts";
import { EXIT } from "../exit-codes.ts";
import { type Column, fitColumns } from "../fit-columns.ts";
import { withStore } from "../open-store.ts";
import { print, printJson } from "../output.ts";
import { paint } from "../paint.ts";
import { clip, plainJson } from "../plain-text.ts";
import { screenWidth } from "../screen.ts";
import { instant } from "../span.ts";
import { table } from "../table.ts";

interface AuditOptions {
  readonly after?: number;
  readonly before?: number;
  readonly limit: number;
  readonly verify?: boolean;
}

export function addAudit(program: Command): void {
  program
    .command("audit")
    .summary("list who did what to which workflow")
    .description(
      "Prints the end of the audit trail, the newest row last: who interrupted, cancelled, deleted, ran again or edited what, when and why. It " +
        "outlives what it tells of. --before goes back from there, --after reads on from a row. " +
        "With --verify it checks that no row was changed or taken out, and ends with 3 when one was.",
    )
    .addOption(
      new Option("--after <seq>", "the rows after this one, instead of the last ones")
        .argParser(wholeNumber(0))
        .conflicts("before"),
    )
    .option("--before <seq>", "the last rows before this one", wholeNumber(0))
    .option("-l, --limit <n>", "rows to print, at most 500", wholeNumber(1, 500), 100)
    .option("--verify", "check the chain of hashes from the first row to the last")
    .action(
      action<[], AuditOptions>(async (_, { after, before, limit, verify, json, store, typed }) =>
        withStore(store, async (mage) => {
          if (verify === true) {
            const { ok, brokenAt = null } = await mage.audit.verify();
            if (json) printJson({ ok, brokenAt });
            else print(ok ? paint("green", "sound") : `${paint("red", "broken")} at row ${brokenAt}`);
            return ok ? EXIT.ok : EXIT.breaches;
          }
          const onwards = after !== undefined;
          const items = onwards
            ? await mage.audit.list({ after, limit })
            : await lastRows(mage, before, limit);
          const next = items.length < limit ? null : items.at(onwards ? -1 : 0)!.seq;
          if (json) printJson({ items, next });
          else if (items.length === 0) print("Nothing is in the audit trail.");
          else
            for (const line of table(fitColumns(columns(items), ["DETAILS", "ACTOR"], screenWidth())))
              print(line);
          if (!json && next !== null)
            print(
              paint(
                "dim",
                `there may be more: ${typedWith(typed, [onwards ? "--after" : "--before"], String(next))}`,
              ),
            );
          return EXIT.ok;
        }),
      ),
    );
}

/** As they were added, like the end of a log. */
async function lastRows(mage: MageFlow, before: number | undefined, limit: number): Promise<AuditEntry[]> {
  const from = before === undefined ? {} : { after: before };
  return (await mage.audit.list({ order: "newest", limit, ...from })).toReversed();
}

function columns(rows: readonly AuditEntry[]): Column[] {
  const column = (title: string, cell: (row: AuditEntry) => string): Column => ({
    title,
    cells: rows.map(cell),
  });
  return [
    column("SEQ", ({ seq }) => String(seq)),
    column("AT", ({ at }) => instant(at)),
    { ...column("ACTOR", ({ actor }) => clip(actor, 40)), least: 8 },
    column("ACTION", ({ action: deed }) => clip(deed, 20)),
    column("TARGET", ({ target }) => clip(target, 60)),
    { ...column("REASON", ({ reason }) => clip(reason ?? "", 60)), least: 8 },
    { ...column("DETAILS", ({ details }) => clip(plainJson(details), 100)), least: 10 },
  ];
}
