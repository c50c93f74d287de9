import { MageFlow, type MageFlowOptions } from "mageflow";

/** Where the processes of a round work: URLs of the store, of the cache before it, and of the Redis by which BullMQ brings the tasks. */
export interface Where {
  readonly store: string;
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

/** The driver of an engine is loaded by who uses it: processes are started by the hundred. */
export async function openMage({ store, cache, bullmq }: Where): Promise<MageFlow> {
  const options: MageFlowOptions = { store };
  if (cache !== null) options.cache = cache;
  if (bullmq !== null) options.engine = (await import("mageflow/bullmq")).bullmq(bullmq);
  return new MageFlow(options);
}
