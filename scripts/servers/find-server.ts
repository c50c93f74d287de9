import type { TestOptions } from "vitest";
import { backendOf } from "./backends.ts";
import { locate } from "./locate.ts";

/** A server to test with; `missing` says why there is none. */
export interface TestServer {
  readonly title: string;
  readonly url: string;
  readonly missing: string | null;
}

/** One that was named and does not answer is an error. */
export async function findServerOf(name: string): Promise<TestServer> {
  const backend = backendOf(name);
  if (backend === undefined) throw new Error(`no backend is called ${name}`);
  const { title, usual } = backend;
  const place = await locate(backend);
  if (place.is === "found") return { title, url: place.url, missing: null };
  return { title, url: usual, missing: place.why };
}

/**
 * What `describe` is told of cases that need servers: they are skipped when one is missing, and counted for each.
 *
 *     describe("…", needs(await findServerOf("mysql")), () => { … });
 */
export function needs(...servers: readonly TestServer[]): TestOptions {
  return {
    skip: servers.some(({ missing }) => missing !== null),
    meta: { servers: servers.map(({ title, missing }) => ({ title, missing })) },
  };
}

declare module "vitest" {
  interface TaskMeta {
    /** Servers that the cases of a suite need. */
    servers?: readonly Pick<TestServer, "title" | "missing">[];
  }
}
