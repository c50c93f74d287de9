import { join } from "node:path";
import { PostgresServer } from "./postgres-server.ts";
import type { Random } from "./random.ts";

/** Stores that there is chaos for. */
export const STORES = ["sqlite", "postgres"] as const;
export type StoreKind = (typeof STORES)[number];

/** What a nemesis does to a database. */
export interface Blows {
  cuts: number;
  restarts: number;
}

/** The database of a round. */
export interface Place {
  /** Its URL, as MageFlow takes it. */
  readonly store: string;
  readonly blows: Blows;
  /** Does something to it, and returns when that is over. */
  strike(draw: Random): Promise<void>;
  remove(): Promise<void>;
}

export async function openPlace(kind: StoreKind, folder: string): Promise<Place> {
  const blows: Blows = { cuts: 0, restarts: 0 };
  if (kind === "sqlite") {
    const path = join(folder, "store.db");
    return { store: `sqlite:${path}`, blows, strike: async () => {}, remove: async () => {} };
  }
  const server = await PostgresServer.start();
  return {
    store: `${server.url}?schema=chaos`,
    blows,
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
