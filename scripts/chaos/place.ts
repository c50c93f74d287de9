import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OwnRedis } from "../servers/own-redis.ts";
import { cutLine } from "../servers/cut-line.ts";
import { type Database, DatabaseServer } from "./database-server.ts";
import { type Random, random } from "./random.ts";
import type { Where } from "./where.ts";

/** Stores that there is chaos for. */
export const STORES = ["sqlite", "postgres", "mysql"] as const;
export type StoreKind = (typeof STORES)[number];

/** What works beside the store, on a Redis of the round's own. */
export interface Beside {
  readonly cache: boolean;
  readonly bullmq: boolean;
}

/** What a nemesis does to a database, and to the Redis beside it. */
export interface Blows {
  cuts: number;
  silences: number;
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

/** For as long as this connections are half-open; longer than a lease of 1 s, or not. */
const SILENCE_MS = [300, 1_500] as const;

/** Of each connection to be among those that are cut. */
const CUT = 0.7;

/** Of each silent connection to be over for its client alone. */
const FORSAKEN = 0.5;

/** Where the store of a round is in the database of its server. */
const PLACES: Readonly<Record<Database, string>> = { postgres: "?schema=chaos", mysql: "" };

export async function openPlace(kind: StoreKind, beside: Beside, folder: string): Promise<Place> {
  const blows: Blows = { cuts: 0, silences: 0, restarts: 0, flushes: 0, redisRestarts: 0, redisFreezes: 0 };
  const store = await (kind === "sqlite" ? openFile(folder) : openServer(kind, blows));
  const redis =
    beside.cache || beside.bullmq
      ? await openRedis(blows).catch(async (error: unknown) => {
          await store.remove();
          throw error;
        })
      : null;
  const targets = redis === null ? [store] : [store, redis];
  return {
    where: {
      store: store.url,
      witness: store.witness,
      cache: beside.cache ? redis!.url : null,
      bullmq: beside.bullmq ? redis!.url : null,
    },
    blows,
    strike: async (draw) => void (await Promise.all(targets.map((target) => target.strike(draw)))),
    remove: async () => void (await Promise.all(targets.map((target) => target.remove()))),
  };
}

interface StoreTarget extends Target {
  /** Its URL for who looks on, whatever becomes of the connections of others. */
  readonly witness: string;
}

async function openFile(folder: string): Promise<StoreTarget> {
  const url = `sqlite:${join(folder, "store.db")}`;
  return { url, witness: url, strike: async () => {}, remove: async () => {} };
}

async function openServer(kind: Database, blows: Blows): Promise<StoreTarget> {
  const server = await DatabaseServer.start(kind);
  const line = await cutLine(server.url);
  return {
    url: `${line.url}${PLACES[kind]}`,
    witness: `${server.url}${PLACES[kind]}`,
    strike: async (draw) => {
      const dice = draw.next();
      if (dice < 0.4) {
        blows.restarts++;
        await server.restart();
        return;
      }
      // As many draws as there are connections, from a stream of their own.
      const each = random(draw.next(), "calls");
      const calls = [...line.calls].filter(() => each.chance(CUT));
      if (dice < 0.7) {
        blows.cuts++;
      } else {
        blows.silences++;
        for (const call of calls) call.mute(each.pick(["client", "server"]));
        await sleep(draw.whole(...SILENCE_MS));
      }
      // Of some that were silent the server does not learn that they are over.
      for (const call of calls) {
        if (dice >= 0.7 && each.chance(FORSAKEN)) call.forsake();
        else call.cut();
      }
    },
    remove: async () => {
      await line[Symbol.asyncDispose]();
      await server.stop();
    },
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
