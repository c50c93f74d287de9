import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chain, type ContainerPlan, type MageFlow, swarm } from "mageflow";
import { z } from "zod";
import { cleanFlights, cutIntoBlocks, loadFlights, loadRecords, parseBlock, saveJson } from "./flights.ts";
import { headlines, writeReport } from "./page.ts";
import { joinAirports, reportSchema, totalsSchema } from "./report.ts";
import { BY, sumTallies, type Tallies, talliesSchema, tallyFlights } from "./tally.ts";

/** Where the workflow reads and writes. `work` is its own: it is removed at the end. */
export interface Places {
  flights: string;
  airports: string;
  work: string;
  output: string;
}

const BLOCKS = 40;
/** Its upload ends only after its parser has looked for it, which helps itself by another attempt. */
const LATE_BLOCK = blockName(3);
/** Cut short, as by a broken download: no attempt can read it. */
const DAMAGED_BLOCK = blockName(17);

/** What of a run's troubles the demo has brought about itself. */
export const ON_PURPOSE: string = `${DAMAGED_BLOCK} is cut short and ${LATE_BLOCK} comes late on purpose`;

interface Source {
  flights: string;
  work: string;
  blocks: number;
}

const sourceSchema: z.ZodType<Source, Source> = z.object({
  flights: z.string(),
  work: z.string(),
  blocks: z.int(),
});
const workSchema = z.object({ work: z.string() });
const blockSchema = workSchema.extend({ block: z.string() });
const blockFileSchema = z.object({ path: z.string() });
const cleanBlockSchema = blockFileSchema.extend({ outliers: z.int() });
const bySchema = z.enum(BY);
const blockTotalsSchema = z.object({
  outliers: z.int(),
  airport: talliesSchema,
  month: talliesSchema,
  day: talliesSchema,
});
const errorSchema = z.object({ message: z.string(), attempts: z.int() });

/** What the workflow gives in the end. */
export interface Published {
  page: string;
  data: string;
  headlines: string;
}

/** What a callback tells about itself. */
export const effectSchema: z.ZodType<{ effect: string }> = z.object({ effect: z.string() });

/** Registers the demo's tasks, and binds them to a workflow that turns the flights into a report. */
export function flightWorkflow(
  mage: MageFlow,
  places: Places,
): ContainerPlan<Record<never, never>, Published, Source> {
  const { flights, airports, work, output } = places;

  const split = mage.task("split-flights", { input: sourceSchema }, async (input, ctx) => {
    const texts = cutIntoBlocks(await readFile(input.flights, "utf8"), input.blocks);
    for (const [index, text] of texts.entries()) {
      const block = blockName(index);
      const damaged = block === DAMAGED_BLOCK;
      if (damaged) ctx.log.warn("cut short on purpose", { block });
      const path = join(input.work, block === LATE_BLOCK ? `${block}.part` : block);
      await writeFile(path, damaged ? text.slice(0, -40) : text);
    }
    return { work: input.work };
  });

  const finishUpload = mage.task("finish-upload", { input: blockSchema }, async (input) => {
    await rename(join(input.work, `${input.block}.part`), join(input.work, input.block));
    return { effect: `${input.block} has arrived` };
  });

  // A file that is missing or does not parse may still be on its way, so both are tried again.
  const retry = { attempts: 3, backoff: { type: "fixed", delay: "200ms", jitter: "none" } } as const;

  const parse = mage.task("parse-block", { input: blockSchema, retry }, async (input, ctx) => {
    const path = join(input.work, input.block);
    const records = await parseBlock(path);
    ctx.log.info("parsed", { block: input.block, flights: records.length, attempt: ctx.attempt });
    await saveJson(`${path}.parsed`, records);
    return { path: `${path}.parsed` };
  });

  const clean = mage.task("clean-block", { input: blockFileSchema }, async ({ path }) => {
    const records = await loadRecords(path);
    const cleaned = cleanFlights(records);
    await saveJson(`${path}.clean`, cleaned);
    return { path: `${path}.clean`, outliers: records.length - cleaned.length };
  });

  const tally = mage.task(
    "tally-block",
    { input: cleanBlockSchema.extend({ by: bySchema }) },
    async ({ path, outliers, by }) => ({
      by,
      outliers,
      tallies: tallyFlights(await loadFlights(path), by),
    }),
  );

  const gather = mage.task(
    "gather-tallies",
    { input: itemResults(z.object({ by: bySchema, outliers: z.int(), tallies: talliesSchema })) },
    ({ results }) => {
      const of = (by: string): Tallies =>
        results.find(({ result }) => result?.by === by)?.result?.tallies ?? {};
      return {
        outliers: results[0]?.result?.outliers ?? 0,
        airport: of("airport"),
        month: of("month"),
        day: of("day"),
      };
    },
  );

  const merge = mage.task("merge-blocks", { input: itemResults(blockTotalsSchema) }, ({ results }) => {
    const read = results.flatMap(({ result }) => result ?? []);
    return {
      blocks: results.length,
      damaged: results.flatMap(({ key = "", error }) =>
        error === undefined ? [] : [{ block: key, error: error.message, attempts: error.attempts }],
      ),
      outliers: read.reduce((sum, { outliers }) => sum + outliers, 0),
      months: sumTallies(read.map(({ month }) => month)),
      days: sumTallies(read.map(({ day }) => day)),
      airports: sumTallies(read.map(({ airport }) => airport)),
    };
  });

  const joinNames = mage.task(
    "join-airports",
    { input: totalsSchema.and(z.object({ airportsFile: z.string() })), output: reportSchema },
    ({ airportsFile, ...totals }) => joinAirports(totals, airportsFile),
  );

  const write = mage.task(
    "write-report",
    { input: reportSchema.and(z.object({ output: z.string() })) },
    async ({ output: folder, ...report }) => ({
      ...(await writeReport(report, folder)),
      headlines: headlines(report),
    }),
  );

  const publish = mage.task(
    "publish-headlines",
    { input: z.object({ headlines: z.string(), output: z.string() }) },
    async (input) => {
      const path = join(input.output, "HEADLINES.md");
      await writeFile(path, input.headlines);
      return { effect: `headlines in ${path}` };
    },
  );

  const keepDamaged = mage.task(
    "keep-damaged-block",
    { input: blockSchema.extend({ output: z.string() }) },
    async (input, ctx) => {
      const path = join(input.output, `${input.block}.damaged`);
      await mkdir(input.output, { recursive: true });
      await copyFile(join(input.work, input.block), path);
      ctx.log.error("gave up", { block: input.block, error: ctx.cause?.error?.message ?? "" });
      return { effect: `${input.block} kept as ${path}` };
    },
  );

  const removeWork = mage.task("remove-work", { input: workSchema }, async (input) => {
    await rm(input.work, { recursive: true, force: true });
    return { effect: `removed ${input.work}` };
  });

  const block = chain(
    [
      parse,
      clean,
      swarm(
        BY.map((by) => tally.with({ by })),
        { name: "tally", stopAfterFailures: 0 },
      ),
      gather,
    ],
    { name: "block" },
  );

  const blocks = swarm(
    Array.from({ length: BLOCKS }, (_, index) => blockName(index)).map((name) =>
      block.with({ block: name }).keyed(name),
    ),
    { name: "blocks", concurrency: 8, stopAfterFailures: 2, onItemError: keepDamaged.with({ output }) },
  );

  return chain(
    [
      split.onSuccess(finishUpload.with({ block: LATE_BLOCK }).options({ delay: "100ms" })),
      blocks,
      merge,
      joinNames.with({ airportsFile: airports }),
      write.with({ output }),
    ],
    { name: "flight-report", tags: ["demo"] },
  )
    .with({ flights, work, blocks: BLOCKS })
    .onSuccess(publish.with({ output }))
    .onCleanup(removeWork);
}

/** The part of a swarm's result that its next step reads. */
function itemResults<R extends z.ZodType>(result: R) {
  return z.object({
    results: z
      .array(
        z.object({
          key: z.string().optional(),
          result: result.optional(),
          error: errorSchema.optional(),
        }),
      )
      .default([]),
  });
}

function blockName(index: number): string {
  return `block-${String(index).padStart(2, "0")}`;
}
