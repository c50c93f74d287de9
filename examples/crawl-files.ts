/**
 * Crawls a folder with an open swarm: each visited folder adds its entries as new items, keyed by path, and the swarm
 * is closed when nothing is left to visit.
 *
 * In a checkout, after `npm run setup`:
 *
 *     npx node --conditions=@mageflow/source examples/crawl-files.ts docs
 */
import { readdir, readFile } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { type AnyPlan, MageFlow, swarm } from "mageflow";
import { z } from "zod";

await using mage = new MageFlow();

const visit = mage.task(
  "visit",
  { input: z.object({ path: z.string(), kind: z.enum(["folder", "file"]) }) },
  async ({ path, kind }, ctx) => {
    if (kind === "file") {
      const text = await readFile(path, "utf8");
      return { kind: extname(path) || "none", lines: text.split("\n").length - 1 };
    }
    const entries = await readdir(path, { withFileTypes: true });
    const found: AnyPlan[] = entries
      .filter((entry) => entry.isDirectory() || entry.isFile())
      .map((entry) => join(path, entry.name))
      .map((inside, n) => visitItem(inside, entries[n]!.isDirectory() ? "folder" : "file"));
    const crawl = await mage.get(ctx.signature.rootId);
    await crawl.addTasks(found);
    return { kind: "folder", lines: 0 };
  },
);

/** Keyed by path, so that a folder that is visited twice, after a crash say, adds nothing new. */
function visitItem(path: string, kind: "folder" | "file"): AnyPlan {
  return visit.with({ path, kind }).keyed(path);
}

const folder = resolve(process.argv[2] ?? ".");
await mage.worker({ concurrency: 20 });
const run = await mage.run(
  swarm([visitItem(folder, "folder")], { open: true, concurrency: 20, name: "crawl" }),
);

for await (const { type } of run.events({ since: 0 })) {
  if (type !== "succeeded" && type !== "failed") continue;
  const { total, succeeded, failed } = await run.counts();
  if (succeeded + failed === total) break;
}
await run.close();
await run.settled();

const lines = new Map<string, number>();
let unread = 0;
for await (const { result, status } of run.results()) {
  const seen = result as { kind: string; lines: number } | undefined;
  if (status === "FAILED" || seen === undefined) unread++;
  else if (seen.kind !== "folder") lines.set(seen.kind, (lines.get(seen.kind) ?? 0) + seen.lines);
}
for (const [kind, count] of [...lines].toSorted(([a], [b]) => a.localeCompare(b)))
  console.log(`${kind}: ${count} lines`);
console.log(`${unread} could not be read`);
