/**
 * Makes a thumbnail and a histogram of each picture (plain PGM files, grey values as text): a swarm of chains, with steps
 * that are not repeated when a later one fails.
 *
 * In a checkout, after `npm run setup`, with a picture of four by two points:
 *
 *     mkdir -p /tmp/pictures && printf 'P2\n4 2\n255\n0 4 100 100\n8 12 100 100\n' > /tmp/pictures/a.pgm
 *     npx node --conditions=@mageflow/source examples/thumbnails.ts /tmp/pictures
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { chain, MageFlow, swarm } from "mageflow";
import { z } from "zod";

await using mage = new MageFlow();

const Picture = z.object({ name: z.string(), width: z.int(), height: z.int(), grey: z.array(z.int()) });

const read = mage.task(
  "read",
  { input: z.object({ file: z.string() }), output: Picture },
  async ({ file }) => {
    const [type, width, height, , ...grey] = (await readFile(file, "utf8")).split(/\s+/).filter(Boolean);
    if (type !== "P2") throw new Error(`${basename(file)} is not a plain PGM picture`);
    return { name: basename(file), width: Number(width), height: Number(height), grey: grey.map(Number) };
  },
);

const shrink = mage.task(
  "shrink",
  {
    input: Picture.extend({ to: z.string(), factor: z.int().min(2).default(2) }),
    retry: { attempts: 3, backoff: { type: "fixed", delay: "50ms" } },
    timeout: "10s",
  },
  async ({ name, width, height, grey, to, factor }, ctx) => {
    const small = await ctx.step("average", () => average(grey, width, height, factor));
    await ctx.progress(0.5, "shrunk");
    const size = { width: Math.floor(width / factor), height: Math.floor(height / factor) };
    await ctx.step("write", () =>
      writeFile(join(to, `small-${name}`), `P2\n${size.width} ${size.height}\n255\n${small.join(" ")}\n`),
    );
    ctx.log.info("written", { name, ...size });
    return { name, ...size };
  },
);

const skipped = mage.task("skipped", ({ file }: { file: string }, { cause }) => {
  console.log(`skipped ${basename(file)}: ${cause?.error?.message}`);
});

/** The mean grey of each square of `factor` by `factor` pixels. */
function average(grey: readonly number[], width: number, height: number, factor: number): number[] {
  const small: number[] = [];
  for (let y = 0; y + factor <= height; y += factor) {
    for (let x = 0; x + factor <= width; x += factor) {
      let sum = 0;
      for (let dy = 0; dy < factor; dy++)
        for (let dx = 0; dx < factor; dx++) sum += grey[(y + dy) * width + x + dx]!;
      small.push(Math.round(sum / factor ** 2));
    }
  }
  return small;
}

const folder = process.argv[2] ?? ".";
const files = (await readdir(folder))
  .filter((name) => name.endsWith(".pgm") && !name.startsWith("small-"))
  .toSorted();
const pictures = swarm(
  files.map((name) => chain([read, shrink.with({ to: folder })]).with({ file: join(folder, name) })),
  { name: "thumbnails", concurrency: 4, onItemError: skipped },
);

await mage.worker({ concurrency: 4 });
const run = await mage.run(pictures);
const { results = [] } = await run.result();
for (const { result } of results)
  if (result) console.log(`${result.name}: ${result.width} x ${result.height}`);
await run.settled();
