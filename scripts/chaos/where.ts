import { MageFlow, type MageFlowOptions } from "mageflow";

/** Where the processes of a round work: URLs of the store, of the cache before it, and of the Redis by which BullMQ brings the tasks. */
export interface Where {
  readonly store: string;
  /** The store, for a witness. */
  readonly witness: string;
  readonly cache: string | null;
  readonly bullmq: string | null;
}

/** As a process is told by its arguments. */
export function toArgument(where: Where): string {
  return JSON.stringify(where);
}

export function fromArgument(argument: string): Where {
  return JSON.parse(argument) as Where;
}

/** A busy machine may take longer to start a server again than a store waits for it if nothing else is said (ms). */
const PATIENCE_MS = 60_000;

/** The driver of an engine is loaded by who uses it: processes are started by the hundred. */
export async function openMage({ store, cache, bullmq }: Where): Promise<MageFlow> {
  const options: MageFlowOptions = { store: await patiently(store) };
  if (cache !== null) options.cache = cache;
  if (bullmq !== null) options.engine = (await import("mageflow/bullmq")).bullmq(bullmq);
  return new MageFlow(options);
}

/** A store that waits for its server to come back. */
async function patiently(url: string): Promise<NonNullable<MageFlowOptions["store"]>> {
  const options = { patience: PATIENCE_MS };
  if (url.startsWith("postgres:")) return (await import("mageflow/postgres")).postgresStore(url, options);
  if (url.startsWith("mysql:")) return (await import("mageflow/mysql")).mysqlStore(url, options);
  return url;
}
