import { MageFlowError } from "../../core/errors.ts";

/** Where a store is: a database, in which its tables stand beside those of others. */
export interface Location {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Never shown. */
  readonly password: string;
  readonly database: string;
  /** Whether the connection is to be encrypted, and the server's certificate to be one that is trusted. */
  readonly tls: boolean;
  /** For people, without secrets. */
  readonly name: string;
}

const USUAL_PORT = 3306;

/**
 * Reads `mysql://user:password@host:3306/database`, with `?ssl=true` for an encrypted connection; `mariadb:` is the same.
 *
 * @throws MageFlowError (`INVALID_ARGUMENT`) for what is no such URL.
 */
export function locate(given: string): Location {
  const url = URL.parse(given);
  const database = decoded(url?.pathname.slice(1));
  const user = decoded(url?.username);
  const password = decoded(url?.password);
  if (
    url === null ||
    !/^(mysql|mariadb):$/.test(url.protocol) ||
    url.hostname === "" ||
    database === null ||
    database === "" ||
    user === null ||
    password === null
  ) {
    throw new MageFlowError(
      "INVALID_ARGUMENT",
      "the URL of a MySQL store cannot be read; give one like mysql://user@host:3306/database",
    );
  }
  return {
    // An address of version 6 stands in brackets there.
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? USUAL_PORT : Number(url.port),
    user,
    password,
    database,
    tls: encrypted(url.searchParams),
    name: `MySQL at ${url.host}, database ${database}`,
  };
}

/** What is not known is not passed over: it may be meant to keep secrets. */
function encrypted(parameters: URLSearchParams): boolean {
  for (const [key, value] of parameters) {
    if (key === "ssl" && (value === "true" || value === "false")) continue;
    throw new MageFlowError(
      "INVALID_ARGUMENT",
      `the URL of a MySQL store has the parameter "${key}", which cannot be used; there is ssl=true and ssl=false`,
    );
  }
  return parameters.get("ssl") === "true";
}

function decoded(part: string | undefined): string | null {
  try {
    return decodeURIComponent(part ?? "");
  } catch {
    return null;
  }
}
