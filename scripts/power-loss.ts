import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { random } from "./chaos/random.ts";
import { readDiary } from "./power-loss/diary.ts";
import { LOSSES, remainsOf } from "./power-loss/disk.ts";
import { readRecording, TRACED } from "./power-loss/recording.ts";
import { LAWS, survive } from "./power-loss/survivor.ts";
import { canTrace, placeIn, runWorkload } from "./power-loss/workload.ts";
import { readArguments } from "./read-arguments.ts";

/**
 * Takes the power from a SQLite store, and judges what is left by what had been acknowledged. A workload is recorded, call by call; then the
 * disk is put together as a loss of power at many instants may leave it. And the workload is killed at its first sync, at its second,
 * and so on to the last. One JSON object on stdout; the exit code is 1 when anything was found.
 *
 *     npm run power-loss -- [--every 1] [--seed 7] [--deaf] [--json]
 *
 * `--every 20` takes every twentieth instant and sync. With `--deaf` the disk syncs nothing, whatever it is told: that must be found. Needs
 * strace.
 */
const { values } = readArguments("usage: npm run power-loss -- [--every 1] [--seed 7] [--deaf] [--json]", {
  options: {
    every: { type: "string", default: "1" },
    seed: { type: "string" },
    deaf: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const every = Number(values.every);
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed);
if (!Number.isInteger(every) || every < 1) fail(`--every is ${values.every}; give a whole number from 1`);
if (!Number.isInteger(seed)) fail(`--seed is ${values.seed}; give a whole number`);
if (!canTrace()) fail("strace is missing, or may not trace processes here");

/** States that are judged at once, and processes that are killed at once: both wait more than they work. */
const AT_ONCE = 6;
/** Instants between any two calls, beside those at syncs and acknowledgements. */
const ANYWHERE = 150;
/** Without `--seccomp-bpf`: strace 6.1 gives no signal with it. */
const KILLED = ["-f", "-e", "trace=fsync,fdatasync"];

const began = performance.now();
const say = (text: string): void => void (values.json || process.stderr.write(`${text}\n`));
const found: string[] = [];
const home = mkdtempSync(join(tmpdir(), "mageflow-power-loss-"));
let folders = 0;

const recorded = placeIn(inside("recorded"));
await runWorkload(recorded, TRACED);
const deeds = readRecording(recorded.trace, recorded.files, recorded.diary);
checkRecording();
const syncs = deeds.filter(({ what }) => what === "sync" || what === "syncNames");
say(`${deeds.length} calls, ${syncs.length} of them syncs`);

const draw = random(seed, "power loss");
const instants = [
  ...syncs.map(({ until }) => until),
  ...deeds.flatMap(({ what, from }) => (what === "noted" ? from + 1 : [])),
  ...Array.from({ length: ANYWHERE }, () => draw.pick(deeds).from + 1),
].filter((_, n) => n % every === 0);
let states = 0;
await inLanes(losses());
say(`${states} states of the disk after a loss of power at ${instants.length} instants`);

let kills = 0;
if (!values.deaf) await killAll();
say(`${kills} kills at a sync`);

if (found.length === 0 || values.deaf) rmSync(home, { recursive: true });
const summary = {
  instants: instants.length,
  states,
  kills,
  syncs: syncs.length,
  ...Object.fromEntries(LAWS.map((law) => [law, found.filter((kind) => kind === law).length])),
  seed,
  seconds: Number(((performance.now() - began) / 1_000).toFixed(1)),
};
process.stdout.write(`${JSON.stringify(summary)}\n`);
process.exit(found.length === 0 ? 0 : 1);

function* losses(): Generator<() => Promise<void>> {
  for (const at of instants)
    for (const loss of LOSSES) {
      const { files, diary } = remainsOf(deeds, at, loss, draw, values.deaf);
      yield async () => {
        states++;
        const folder = inside(`loss-${folders++}`);
        for (const [path, content] of files) writeFileSync(join(folder, basename(path)), content);
        await judge(folder, diary, `at line ${at} of ${recorded.trace}, losing "${loss}"`);
      };
    }
}

/** At as many syncs as were recorded, and at more until it comes to its end before. strace counts by thread: that is the one that commits. */
async function killAll(): Promise<void> {
  const byThread = Map.groupBy(syncs, ({ thread }) => thread);
  const most = Math.max(...[...byThread.values()].map(({ length }) => length));
  const upTo = Array.from({ length: Math.floor(most / every) }, (_, i) => (i + 1) * every);
  await inLanes(upTo.values().map((n) => async () => void (await kill(n))));
  for (let n = (upTo.length + 1) * every; await kill(n); n += every);
}

/** False when it has come to its end before its nth sync. */
async function kill(n: number): Promise<boolean> {
  const folder = inside(`kill-${n}`);
  const place = placeIn(folder);
  const ended = await runWorkload(place, [...KILLED, "-e", `inject=fsync,fdatasync:signal=KILL:when=${n}`]);
  if (!ended) kills++;
  const diary = existsSync(place.diary) ? readFileSync(place.diary, "utf8") : "";
  await judge(folder, diary, `killed at sync ${n}`);
  return !ended;
}

/** What is found is told, and its folder stays, unless it was meant to be found. */
async function judge(folder: string, diary: string, where: string): Promise<void> {
  let sound = true;
  await survive(placeIn(folder).file, readDiary(diary), (kind, detail) => {
    sound = false;
    found.push(kind);
    process.stderr.write(`${kind} ${where} (${folder}): ${detail}\n`);
  });
  if (sound || values.deaf) rmSync(folder, { recursive: true });
}

/** What was recorded must make the files that there are, or else something was missed. */
function checkRecording(): void {
  const { files } = remainsOf(deeds, Number.POSITIVE_INFINITY, "nothing", random(0, "nothing"));
  for (const path of recorded.files) {
    const is = existsSync(path) ? readFileSync(path) : null;
    const made = files.get(path) ?? null;
    if (is === null ? made !== null : made === null || !is.equals(made))
      throw new Error(`what was recorded does not make ${path}`);
  }
}

async function inLanes(jobs: Iterator<() => Promise<void>>): Promise<void> {
  const lane = async (): Promise<void> => {
    for (let next = jobs.next(); next.done !== true; next = jobs.next()) await next.value();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

function inside(name: string): string {
  const folder = join(home, name);
  mkdirSync(folder);
  return folder;
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
