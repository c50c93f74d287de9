import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OwnRedis } from "../servers/own-redis.ts";
import { PostgresServer } from "./postgres-server.ts";
import type { Random } from "./random.ts";
import type { Where } from "./where.ts";

/** Stores that there is chaos for. */
export const STORES = ["sqlite", "postgres"] as const;
export type StoreKind = (typeof STORES)[number];

/** What works beside the store, on a Redis of the round's own. */
export interface Beside {
  readonly cache: boolean;
  readonly bullmq: boolean;
}

/** What a nemesis does to a database, and to the Redis beside it. */
export interface Blows {
  cuts: number;
  restarts: number;
  flushes: number;
  redisRestarts: number;
  redisFreezes: number;
}

/** The servers of a round. */
export interface Place {
  readonly where: Where;
  readonly blows: Blows;
  /** Does something to each of them, and returns when that is over. */
  strike(draw: Random): Promise<void>;
  remove(): Promise<void>;
}

/** A server, or a file, and what the nemesis can do to it. */
interface Target {
  readonly url: string;
  strike(draw: Random): Promise<void>;
  remove(): Promise<void>;
}

/** Longer than a cache or an engine waits for an answer. */
const FREEZE_MS = [300, 1_500] as const;

export async function openPlace(kind: StoreKind, beside: Beside, folder: string): Promise<Place> {
  const blows: Blows = { cuts: 0, restarts: 0, flushes: 0, redisRestarts: 0, redisFreezes: 0 };
  const store = await openStore(kind, folder, blows);
  const redis = beside.cache || beside.bullmq ? await openRedis(blows) : null;
  const targets = redis === null ? [store] : [store, redis];
  return {
    where: {
      store: store.url,
      cache: beside.cache ? redis!.url : null,
      bullmq: beside.bullmq ? redis!.url : null,
    },
    blows,
    strike: async (draw) => void (await Promise.all(targets.map((target) => target.strike(draw)))),
    remove: async () => void (await Promise.all(targets.map((target) => target.remove()))),
  };
}

async function openStore(kind: StoreKind, folder: string, blows: Blows): Promise<Target> {
  if (kind === "sqlite") {
    const path = join(folder, "store.db");
    return { url: `sqlite:${path}`, strike: async () => {}, remove: async () => {} };
  }
  const server = await PostgresServer.start();
  return {
    url: `${server.url}?schema=chaos`,
    strike: async (draw) => {
      if (draw.chance(0.5)) {
        blows.restarts++;
        await server.restart();
      } else {
        blows.cuts++;
        await server.cut(0.7);
      }
    },
    remove: () => server.stop(),
  };
}

/** What it holds is lost with it: a restart is a flush, too. */
async function openRedis(blows: Blows): Promise<Target> {
  const server = await OwnRedis.start();
  return {
    url: server.url,
    strike: async (draw) => {
      const dice = draw.next();
      if (dice < 0.4) {
        blows.flushes++;
        await server.ask((client) => client.flushall());
      } else if (dice < 0.7) {
        blows.redisRestarts++;
        await server.kill();
        await sleep(draw.whole(...FREEZE_MS));
        await server.start();
      } else {
        blows.redisFreezes++;
        server.freeze();
        await sleep(draw.whole(...FREEZE_MS));
        server.thaw();
      }
    },
    remove: () => server[Symbol.asyncDispose](),
  };
}
