import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const run = promisify(execFile);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mageflow-example-"));
  await mkdir(join(folder, "data"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs an example as a user does, with a database of its own, and returns what it prints. */
async function example(name: string, ...args: string[]): Promise<string> {
  const file = join(import.meta.dirname, `${name}.ts`);
  const env = { ...process.env, MAGEFLOW_STORE: `sqlite:${join(folder, "example.db")}` };
  const { stdout } = await run(process.execPath, ["--conditions=@mageflow/source", file, ...args], {
    env,
    timeout: 60_000,
  });
  return stdout;
}

test("crawl-files counts the lines of a tree", async () => {
  const data = join(folder, "data");
  await mkdir(join(data, "a/b"), { recursive: true });
  for (const [name, lines] of [
    ["one.txt", 3],
    ["a/two.txt", 2],
    ["a/b/three.md", 7],
    ["a/b/none", 1],
  ] as const) {
    await writeFile(join(data, name), "line\n".repeat(lines));
  }
  expect((await example("crawl-files", data)).split("\n")).toEqual([
    ".md: 7 lines",
    ".txt: 5 lines",
    "none: 1 lines",
    "0 could not be read",
    "",
  ]);
});

test("thumbnails shrinks each picture and skips what is none", async () => {
  const data = join(folder, "data");
  await writeFile(join(data, "a.pgm"), "P2\n4 2\n255\n0 4 100 100\n8 12 100 100\n");
  await writeFile(join(data, "b.pgm"), "P2\n2 2\n255\n1 1 1 1\n");
  await writeFile(join(data, "broken.pgm"), "P5 nothing to see\n");
  const said = await example("thumbnails", data);
  expect(said).toContain("a.pgm: 2 x 1\n");
  expect(said).toContain("b.pgm: 1 x 1\n");
  expect(said).toContain("skipped broken.pgm: broken.pgm is not a plain PGM picture\n");
  expect(await readFile(join(data, "small-a.pgm"), "utf8")).toBe("P2\n2 1\n255\n6 100\n");
});

test("nightly-report writes once, and gives its lock back", async () => {
  const data = join(folder, "data");
  await writeFile(join(data, "north.csv"), "2026-01-30,100\n2026-01-31,250\n2026-01-31,250\n");
  await writeFile(join(data, "south.csv"), "2026-01-31,1000\n");
  const first = await example("nightly-report", data, "2026-01-31");
  const report = "Sales of 2026-01-31\nnorth: 5\nsouth: 10\nwest: missing\n2 of 3 shops\n";
  expect(first).toBe(`unlocked\nSUCCEEDED ${report}\n`);
  await expect(stat(join(data, "lock"))).rejects.toThrow("ENOENT");
  expect(await example("nightly-report", data, "2026-01-31")).toBe(`SUCCEEDED ${report}\n`);
});

test("nightly-report gives its lock back and tells when too much is missing", async () => {
  const said = await example("nightly-report", join(folder, "data"), "2026-01-31");
  expect(said).toContain("unlocked\n");
  expect(said).toContain("no report for 2026-01-31: 3 of 3 items failed");
  expect(said).toContain("FAILED");
  await expect(stat(join(folder, "data/lock"))).rejects.toThrow("ENOENT");
});

test("lifecycle shows what each verb changes", async () => {
  expect((await example("lifecycle")).trim().split("\n")).toEqual([
    "# interrupt, and resume from the checkpoint",
    "generation 1 begins at page 0",
    "cleaned up after copy",
    "INTERRUPTED: the disk is being moved",
    "generation 2 begins at page 3",
    "cleaned up after copy",
    "5 pages copied; it had stopped clean",
    "",
    "# suspend and resume",
    "SUSPENDED: 0 of 3 have run",
    "resumed: 3 of 3 have run",
    "",
    "# cancel, with confirmation and audit",
    "generation 1 begins at page 0",
    "it would remove 3 signatures, 2 running; still RUNNING",
    "cleaned up after import",
    "cancel by ada: the wrong disk",
    "audited: cancel by ada: the wrong disk; the trail is sound",
    "",
    "# delete, extend, restore, rerun, purge",
    "MARKED_FOR_DELETION in 30 days; its execution is FAILED",
    "restored: FAILED",
    "run again: done, in generation 2",
    "purged: enough of it",
    "",
    "# retention by outcome",
    "what succeeded is removed by its retention",
    "what FAILED is kept for 7 days",
    "",
    "# cleanup on every outcome",
    "cleaned up after work",
    "SUCCEEDED",
    "cleaned up after work",
    "FAILED",
    "cleaned up after work",
    "INTERRUPTED",
    "cleaned up after work",
    "CANCELLED",
    "",
    "# lock",
    "others: LOCKED",
    "started, and WAITING until it is released",
    "released: done",
    "",
    "# edits in one transaction",
    "3 approved in one transaction, 0 drafts left",
  ]);
});
