import type { Command } from "commander";
import type { CacheStats, Divergence, Kept, MageFlow } from "mageflow";
import { action, wholeNumber } from "../action.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { withStore } from "../open-store.ts";
import { print, printJson } from "../output.ts";
import { paint } from "../paint.ts";
import { clip } from "../plain-text.ts";
import { number } from "../span.ts";

interface VerifyOptions {
  readonly limit: number;
}

export function addCache(program: Command): void {
  const cache = program
    .command("cache")
    .summary("look after the cache in front of the store")
    .description(
      "Looks after the cache that --cache or MAGEFLOW_CACHE names. The store holds everything; what is in the cache may be lost.",
    )
    .helpCommand(false)
    .action(
      action(async () => {
        cache.outputHelp({ error: true });
        return EXIT.usage;
      }),
    );

  cache
    .command("stats")
    .summary("how well it does, and how much it keeps")
    .description(
      "Tells whether the cache is used, how many reads it answers, and how much it keeps. Ends with 6 when it is degraded.",
    )
    .action(
      action(async (_, { json, store }) =>
        withCache(store, async (mage) => {
          const stats = await mage.cache.stats();
          if (json) printJson(stats);
          else for (const line of statLines(stats)) print(line);
          return stats.health === "ok" ? EXIT.ok : EXIT.store;
        }),
      ),
    );

  cache
    .command("rebuild")
    .summary("read everything from the store again")
    .description(
      "Lets all processes forget what is in the cache. What is asked for comes back from the store.",
    )
    .action(
      action(async (_, { json, store }) =>
        withCache(store, async (mage) => {
          await mage.cache.rebuild();
          if (json) printJson({ rebuilt: true });
          else print("forgotten: what is asked for comes from the store again");
          return EXIT.ok;
        }),
      ),
    );

  cache
    .command("verify")
    .summary("compare the cache with the store")
    .description(
      "Compares every copy of a record with the store. Work may go on meanwhile. Ends with 3 when one differs; `cache rebuild` mends it.",
    )
    .option("-l, --limit <n>", "differences to print; all are counted", wholeNumber(1), 100)
    .action(
      action<[], VerifyOptions>(async (_, { limit, json, store }) =>
        withCache(store, async (mage) => {
          let compared = 0;
          let differences = 0;
          const shown: Divergence[] = [];
          for await (const found of mage.cache.verify((now) => (compared = now))) {
            if (++differences > limit) continue;
            shown.push(found);
            if (!json)
              print(`${paint("red", "differs")}  ${clip(found.id, 400)}  ${clip(found.message, 1_000)}`);
          }
          if (json) printJson({ ok: differences === 0, compared, differences, found: shown });
          else print(verdict(compared, differences));
          return differences === 0 ? EXIT.ok : EXIT.breaches;
        }),
      ),
    );
}

/** @throws CommandError (`USAGE`) when no cache is named. */
function withCache(store: string | undefined, work: (mage: MageFlow) => Promise<number>): Promise<number> {
  // --cache has set it too.
  if (process.env["MAGEFLOW_CACHE"] !== undefined) return withStore(store, work);
  throw new CommandError(
    "USAGE",
    "there is no cache to look after",
    "name one with --cache redis://host:6379 or MAGEFLOW_CACHE",
  );
}

function verdict(compared: number, differences: number): string {
  const read = `${number(compared)} ${compared === 1 ? "copy" : "copies"} compared`;
  return differences === 0
    ? `${paint("green", "sound")}: ${read}`
    : `${paint("red", `${number(differences)} ${differences === 1 ? "differs" : "differ"}`)}: ${read}; \`mageflow cache rebuild\` mends it`;
}

function statLines({ name, health, why, shared }: CacheStats): string[] {
  const facts: [string, string][] = [
    ["cache", name],
    ["health", health === "ok" ? paint("green", health) : `${paint("red", health)}: ${clip(why ?? "", 400)}`],
  ];
  if (shared !== null) {
    const { all, hitRate, fillMs, lagMs, copies, looks, places, usedBytes, maxBytes, whenFull } = shared;
    facts.push(
      [
        "answered",
        hitRate === null
          ? "nothing was asked"
          : `${(hitRate * 100).toFixed(1)}% of ${number(all.hits + all.misses)} reads`,
      ],
      ["refused", number(all.refused)],
      ["fill", milliseconds(fillMs)],
      ["lag", milliseconds(lagMs)],
      ["outages", number(all.outages)],
      ["copies", keptText(copies)],
      ["looks", keptText(looks)],
      ["places", keptText(places)],
      [
        "memory",
        `${megabytes(usedBytes)} of ${maxBytes === null ? "no limit" : megabytes(maxBytes)}${whenFull === null ? "" : `, ${whenFull}`}`,
      ],
    );
  }
  return facts.map(([label, value]) => `  ${paint("dim", label.padEnd(10))}  ${value}`);
}

function keptText({ entries, bytes }: Kept): string {
  return entries === 0 ? "none" : `${number(entries)}, ${megabytes(bytes)}`;
}

function milliseconds(ms: number | null): string {
  return ms === null ? "none" : `${ms.toFixed(2)} ms on average`;
}

function megabytes(bytes: number | null): string {
  return bytes === null ? "unknown" : `${(bytes / 1_048_576).toFixed(2)} MB`;
}
