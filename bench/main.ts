import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { CASES, type Figures, type Place, WINDOW, WORKER } from "./cases.ts";
import { readArguments } from "../scripts/read-arguments.ts";
import { watchLoop } from "./loop-delay.ts";

/** Cases of several processes, which tell how one of them fares while the others work. */
const WATCHED = ["millions", "standing"] as const;

/**
 * Measures MageFlow as a user runs it: durable settings, real handlers, the final callback awaited.
 *
 *     npm run bench -- <swarm|chain|chains|submit|latency|polling|million> [--store sqlite] [--cache redis://…] [--engine bullmq] [--tasks N] [--json]
 *     npm run bench -- peers [--store sqlite] [--tasks N] [--json]
 *     npm run bench -- <millions|standing> [--store sqlite] [--cache redis://…] [--tasks N] [--json]
 *
 * `--store postgres` takes the server that `MAGEFLOW_TEST_POSTGRES` names, or that of this host; `--store mysql` does so with
 * `MAGEFLOW_TEST_MYSQL`, and `--engine bullmq` with `MAGEFLOW_TEST_REDIS`. `millions` and `standing` start a Redis of their own when they
 * are given no cache.
 */
const PEER_TASKS = 20_000;
const WATCHED_TASKS = 1_000_000;
const USAGE = `usage: npm run bench -- <${Object.keys(CASES).join("|")}|peers|${WATCHED.join("|")}> [--store sqlite|memory|postgres|mysql|url] [--cache redis://host:6379] [--engine embedded|bullmq] [--tasks N] [--json]`;
const { values, positionals } = readArguments(USAGE, {
  allowPositionals: true,
  options: {
    store: { type: "string", default: "sqlite" },
    cache: { type: "string" },
    engine: { type: "string", default: "embedded" },
    tasks: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const [name = ""] = positionals;
const chosen = CASES[name];
const watched = WATCHED.find((one) => one === name);
if (
  (chosen === undefined && watched === undefined && name !== "peers") ||
  !["embedded", "bullmq"].includes(values.engine)
) {
  process.stderr.write(`${USAGE}\n`);
  process.exit(2);
}
const tasks =
  values.tasks === undefined
    ? (chosen?.tasks ?? (watched === undefined ? PEER_TASKS : WATCHED_TASKS))
    : Number(values.tasks);
if (!Number.isSafeInteger(tasks) || tasks < 1) {
  process.stderr.write(`--tasks is ${values.tasks}; give a whole number from 1\n`);
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), "mageflow-bench-"));
const urls: Readonly<Record<string, string>> = {
  sqlite: `sqlite:${join(folder, "bench.db")}`,
  memory: "memory:",
};
/** What a commit survives, by the kind of the store. */
const DURABLE: Readonly<Record<string, string>> = {
  memory: "not durable",
  sqlite: "WAL, synchronous=FULL",
};
const kind = values.store.split(":")[0]!;
// What is not measured is not loaded: its memory would count.
await using place =
  values.store === "postgres"
    ? (await import("./postgres-schema.ts")).benchSchema()
    : values.store === "mysql"
      ? await (await import("./mysql-database.ts")).benchDatabase()
      : null;
const loop = watchLoop();
try {
  const store = place?.url ?? urls[values.store] ?? values.store;
  if (watched !== undefined) await tellWatched(watched, store);
  else if (chosen === undefined) await tellPeers(store);
  else await tellCase(chosen, store);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** A SQLite file for each, so that none finds what another has left. */
async function tellPeers(store: string): Promise<void> {
  let files = 0;
  const { comparePeers } = await import("./peers.ts");
  const peers = await comparePeers(() => (kind === "sqlite" ? `${store}-${files++}` : store), tasks);
  const settings = {
    store: kind,
    tasks,
    workerConcurrency: WORKER,
    swarmConcurrency: WINDOW,
    cpus: cpus().length,
  };
  if (values.json) process.stdout.write(`${JSON.stringify({ bench: "peers", peers, settings })}\n`);
  else {
    console.table(Object.fromEntries(peers.map(({ peer, ...figures }) => [peer, figures])));
    process.stdout.write(`${JSON.stringify(settings)}\n`);
  }
}

/** What looks on goes through a cache as the others do. */
async function tellWatched(bench: (typeof WATCHED)[number], store: string): Promise<void> {
  await using redis =
    values.cache === undefined
      ? await (await import("../scripts/servers/own-redis.ts")).OwnRedis.start()
      : null;
  const cache = redis?.url ?? values.cache!;
  const figures = await (await import("./millions.ts"))[bench]({ store, cache, tasks });
  const settings = {
    store: kind,
    cache: cache.split(":")[0],
    tasks,
    cpus: cpus().length,
    load: loadavg()[0],
  };
  if (values.json) process.stdout.write(`${JSON.stringify({ bench, ...figures, settings })}\n`);
  else {
    const { latency, ...others } = figures;
    for (const [phase, looks] of Object.entries(latency)) {
      process.stdout.write(`${phase}\n`);
      console.table(looks);
    }
    for (const [what, figure] of Object.entries({ ...others, settings }))
      process.stdout.write(`${what} ${JSON.stringify(figure)}\n`);
  }
}

async function tellCase(bench: (typeof CASES)[string], store: string): Promise<void> {
  await using redis = values.engine === "bullmq" ? (await import("./redis-place.ts")).benchEngine() : null;
  const on: Place = { store };
  if (values.cache !== undefined) on.cache = values.cache;
  if (redis !== null) on.engine = redis.engine;
  const figures: Figures = await bench.run({ on, tasks });
  const line = {
    bench: name,
    ...figures,
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    maxEventLoopDelayMs: loop.stop(),
    settings: {
      store: kind,
      ...(values.cache === undefined ? {} : { cache: values.cache.split(":")[0] }),
      engine: values.engine,
      tasks,
      ...bench.settings,
      node: [process.version, ...process.execArgv.filter((arg) => !arg.includes("conditions"))].join(" "),
      cpus: cpus().length,
      durable: DURABLE[kind] ?? "as the server is set up",
    },
  };
  if (values.json) process.stdout.write(`${JSON.stringify(line)}\n`);
  else
    console.table(
      Object.fromEntries(
        Object.entries({ ...line, settings: JSON.stringify(line.settings) }).map(([key, value]) => [
          key,
          { value },
        ]),
      ),
    );
}
