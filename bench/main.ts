import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CASES, type Figures } from "./cases.ts";
import { watchLoop } from "./loop-delay.ts";
import { benchDatabase } from "./mysql-database.ts";
import { benchSchema } from "./postgres-schema.ts";

/**
 * Measures MageFlow as a user runs it: durable settings, real handlers, the final callback awaited.
 *
 *     npm run bench -- <swarm|chain|chains|submit|latency|polling|million> [--store sqlite] [--cache redis://…] [--tasks N] [--json]
 *
 * `--store postgres` takes the server that `MAGEFLOW_TEST_POSTGRES` names, or that of this host; `--store mysql` does so with
 * `MAGEFLOW_TEST_MYSQL`.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    store: { type: "string", default: "sqlite" },
    cache: { type: "string" },
    tasks: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const [name = ""] = positionals;
const chosen = CASES[name];
if (chosen === undefined) {
  process.stderr.write(
    `usage: npm run bench -- <${Object.keys(CASES).join("|")}> [--store sqlite|memory|postgres|mysql|url] [--cache redis://host:6379] [--tasks N] [--json]\n`,
  );
  process.exit(2);
}
const tasks = values.tasks === undefined ? chosen.tasks : Number(values.tasks);
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
await using place =
  values.store === "postgres" ? benchSchema() : values.store === "mysql" ? await benchDatabase() : null;
const loop = watchLoop();
try {
  const store = place?.url ?? urls[values.store] ?? values.store;
  const figures: Figures = await chosen.run({ store, cache: values.cache, tasks });
  const line = {
    bench: name,
    ...figures,
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    maxEventLoopDelayMs: loop.stop(),
    settings: {
      store: kind,
      ...(values.cache === undefined ? {} : { cache: values.cache.split(":")[0] }),
      tasks,
      ...chosen.settings,
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
} finally {
  await rm(folder, { recursive: true, force: true });
}
