import { MageFlowError } from "../../core/errors.ts";

/** Where a cache is. */
export interface Location {
  /** For the driver. May hold a password: never shown. */
  readonly url: string;
  /** Stands before all keys. */
  readonly prefix: string;
  /** For people, without secrets. */
  readonly name: string;
}

const DEFAULT_PREFIX = "mageflow";

/** What needs no thought in keys, patterns and channels. */
const PREFIX = /^[a-z0-9_-]{1,40}$/i;

/**
 * Reads `redis://user:password@host:6379/0?prefix=name`, or `rediss://…` with TLS. The prefix is `mageflow` when none is given.
 *
 * @throws MageFlowError (`INVALID_ARGUMENT`) for what is no such URL.
 */
export function locate(given: string): Location {
  const url = URL.parse(given);
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === "") {
    throw new MageFlowError(
      "INVALID_ARGUMENT",
      "the URL of a Redis cache cannot be read; give one like redis://user:password@host:6379/0?prefix=mageflow",
    );
  }
  if (!/^\/?\d*$/.test(url.pathname)) {
    throw new MageFlowError(
      "INVALID_ARGUMENT",
      "the URL of a Redis cache names its database by something else than a number; give one like redis://host:6379/0",
    );
  }
  const unknown = url.searchParams.keys().find((key) => key !== "prefix");
  if (unknown !== undefined) {
    throw new MageFlowError(
      "INVALID_ARGUMENT",
      `the URL of a Redis cache has the parameter "${unknown}", which cannot be used; there is prefix=mageflow`,
    );
  }
  const prefix = url.searchParams.get("prefix") ?? DEFAULT_PREFIX;
  if (!PREFIX.test(prefix)) {
    throw new MageFlowError(
      "INVALID_ARGUMENT",
      `"${prefix}" is no prefix for keys; use up to 40 letters, digits, dashes and underscores`,
    );
  }
  url.searchParams.delete("prefix");
  return { url: url.href, prefix, name: `Redis at ${url.host}${url.pathname === "/" ? "" : url.pathname}` };
}
