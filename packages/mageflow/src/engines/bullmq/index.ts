import type { Redis } from "ioredis";
import { MageFlowError } from "../../core/errors.ts";
import { invalidArgument } from "../../core/invalid-argument.ts";
import { type OptionNames, requireArguments } from "../../core/known-options.ts";
import type { Engine } from "../../ports/engine.ts";
import { type BullmqOptions, bullmqEngine } from "./bullmq-engine.ts";

export type { BullmqOptions } from "./bullmq-engine.ts";

const OPTIONS: OptionNames<BullmqOptions> = { prefix: true, queue: true };

/**
 * The engine that carries tasks to workers by BullMQ: `new MageFlow({ store, engine: bullmq("redis://127.0.0.1:6379") })`. Needs the packages
 * `bullmq` and `ioredis`, and Redis 6.2 or newer.
 *
 * Takes the URL of a Redis, or a connection of ioredis: its settings are used for connections of the engine's own, and it is left as it is.
 * What Redis holds may be lost at any time, and nothing but speed is lost with it.
 *
 * @throws MageFlowError (`INVALID_ARGUMENT`) for what is no such URL or connection, and for an option that is not known, or cannot be meant.
 */
export function bullmq(connection: string | Redis, options: BullmqOptions = {}): Engine {
  requireArguments(options, OPTIONS, "bullmq");
  const { prefix = "mageflow", queue = "tasks" } = options;
  requirePart("prefix", prefix, /^[^\s]+$/, "a text without spaces");
  requirePart("queue", queue, /^[^\s:]+$/, "a text without spaces and colons");
  if (typeof connection === "string") return bullmqEngine(connection, options, placeOf(connection));
  // A class of its own would be another one for whoever has a second copy of the package.
  if (typeof connection?.duplicate === "function" && typeof connection.options === "object") {
    const { host = "localhost", port = 6379 } = connection.options;
    return bullmqEngine(connection, options, `${host}:${port}`);
  }
  throw invalidArgument("the connection of bullmq", connection, ACCEPTED);
}

const ACCEPTED = 'a URL like "redis://127.0.0.1:6379", or a Redis of ioredis';

function requirePart(what: string, value: unknown, form: RegExp, accepted: string): void {
  if (typeof value !== "string" || !form.test(value)) {
    throw invalidArgument(`the ${what} of bullmq`, value, accepted);
  }
}

/** What is wrong with it is not shown: it may hold a password. */
function placeOf(given: string): string {
  const url = URL.parse(given);
  if (url === null || !/^rediss?:$/.test(url.protocol)) {
    throw new MageFlowError(
      "INVALID_ARGUMENT",
      `the connection of bullmq is no URL of a Redis; give ${ACCEPTED}`,
    );
  }
  // The driver goes on with a part of it, or with none, and prefers the path.
  const database = url.pathname.slice(1) || (url.searchParams.get("db") ?? "");
  if (!/^\d*$/.test(database)) {
    throw new MageFlowError(
      "INVALID_ARGUMENT",
      "the connection of bullmq names its database by something else than a number; give a URL like redis://host:6379/0",
    );
  }
  return url.host;
}
