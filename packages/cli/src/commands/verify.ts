import type { Command } from "commander";
import type { Audited, Breach } from "mageflow";
import { action, wholeNumber } from "../action.ts";
import { typedWith } from "../command-line.ts";
import { EXIT } from "../exit-codes.ts";
import { withStore } from "../open-store.ts";
import { note, print, printJson } from "../output.ts";
import { paint } from "../paint.ts";
import { clip } from "../plain-text.ts";
import { number } from "../span.ts";

interface VerifyOptions {
  readonly limit: number;
}

export function addVerify(program: Command): void {
  program
    .command("verify")
    .summary("audit the store against what MageFlow promises")
    .description(
      "Reads everything that is stored and checks it: every open signature has a reason to wait, every outcome its callbacks and cleanups, " +
        "every counter is what a recount gives, journals have no gaps, and the audit trail is as it was written. Work may go on meanwhile. Ends with 3 when something is broken.",
    )
    .option("-l, --limit <n>", "breaches to print; all are counted", wholeNumber(1), 100)
    .action(
      action<[], VerifyOptions>(async (_, { limit, json, store, typed }) =>
        withStore(store, async (mage) => {
          let audited: Audited = { signatures: 0, workflows: 0, events: 0 };
          const shown: Breach[] = [];
          const counts = { breach: 0, warning: 0 };
          for await (const breach of mage.verify({ onProgress: (now) => (audited = now) })) {
            counts[breach.severity]++;
            if (counts.breach + counts.warning > limit) continue;
            shown.push(breach);
            if (!json) print(breachLine(breach));
          }
          const ok = counts.breach === 0;
          if (json) {
            printJson({ ok, audited, breaches: counts.breach, warnings: counts.warning, found: shown });
          } else {
            const hidden = counts.breach + counts.warning - shown.length;
            if (hidden > 0) {
              const all = typedWith(typed, ["--limit", "-l"], String(hidden + shown.length));
              print(paint("dim", `… and ${number(hidden)} more: ${all}`));
            }
            print(verdict(audited, counts));
            if (!ok)
              note("mageflow: please report this with the version and, if you can, a copy of the store");
          }
          return ok ? EXIT.ok : EXIT.breaches;
        }),
      ),
    );
}

/** `breach  I5  01jd….2  its counter …` */
function breachLine({ severity, invariant, id, message }: Breach): string {
  const label = paint(severity === "breach" ? "red" : "yellow", severity.padEnd(7));
  return `${label}  ${invariant.padEnd(6)}  ${clip(id, 400)}  ${clip(message, 1_000)}`;
}

function verdict(
  { signatures, workflows, events }: Audited,
  { breach, warning }: { breach: number; warning: number },
): string {
  const read = `${amount(signatures, "signature")} of ${amount(workflows, "workflow")} and ${amount(events, "event")} read`;
  const found = breach === 0 ? paint("green", "sound") : paint("red", amount(breach, "breach", "es"));
  return `${found}: ${read}${warning === 0 ? "" : `, ${amount(warning, "warning")}`}`;
}

function amount(count: number, what: string, plural = "s"): string {
  return `${number(count)} ${what}${count === 1 ? "" : plural}`;
}
