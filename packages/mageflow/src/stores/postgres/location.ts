import { MageFlowError } from "../../core/errors.ts";

/** Where a store is: a database, and the schema in it that is the store's own. */
export interface Location {
  /** For the driver. May hold a password: never shown. */
  readonly url: string;
  readonly schema: string;
  /** For people, without secrets. */
  readonly name: string;
}

const DEFAULT_SCHEMA = "mageflow";

/** What needs no quotes, so that it is written everywhere as it is. */
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

/** What else a URL may have, as the driver takes it: where the server is, who asks, and how the connection is kept secret. */
const FOR_THE_DRIVER: ReadonlySet<string> = new Set([
  "host",
  "port",
  "user",
  "password",
  "ssl",
  "sslmode",
  "sslcert",
  "sslkey",
  "sslrootcert",
  "sslnegotiation",
  "uselibpqcompat",
  "application_name",
  "options",
]);

/**
 * Reads `postgres://user:password@host:5432/database?schema=name`, and what the driver takes of `host`, `port`, `user`, `password`, `ssl`,
 * `sslmode`, `sslcert`, `sslkey`, `sslrootcert`, `sslnegotiation`, `uselibpqcompat`, `application_name` and `options`. The schema is
 * `mageflow` when none is given.
 *
 * @throws MageFlowError (`INVALID_ARGUMENT`) for what is no such URL.
 */
export function locate(given: string): Location {
  const url = URL.parse(given);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new MageFlowError(
      "INVALID_ARGUMENT",
      "the URL of a PostgreSQL store cannot be read; give one like postgres://user@host:5432/database?schema=mageflow",
    );
  }
  const schema = url.searchParams.get("schema") ?? DEFAULT_SCHEMA;
  if (!SCHEMA.test(schema)) {
    throw new MageFlowError(
      "INVALID_ARGUMENT",
      `"${schema}" is no name of a schema for a store; use small letters, digits and underscores`,
    );
  }
  url.searchParams.delete("schema");
  // What is not known is not passed over: it may be meant to keep secrets.
  for (const key of url.searchParams.keys()) {
    if (FOR_THE_DRIVER.has(key)) continue;
    throw new MageFlowError(
      "INVALID_ARGUMENT",
      `the URL of a PostgreSQL store has the parameter "${key}", which cannot be used; there is schema, and ${[...FOR_THE_DRIVER].join(", ")}`,
    );
  }
  const host = url.host === "" ? (url.searchParams.get("host") ?? "this host") : url.host;
  return { url: url.href, schema, name: `PostgreSQL at ${host}${url.pathname}, schema ${schema}` };
}
