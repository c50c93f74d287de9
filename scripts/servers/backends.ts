import type { Probe } from "./conversation.ts";
import { probeMysql } from "./probe-mysql.ts";
import { probePostgres } from "./probe-postgres.ts";
import { probeRedis } from "./probe-redis.ts";
import { mysqlRecipe, postgresRecipe, type Recipe, redisRecipe } from "./recipes.ts";

/** A kind of server that tests need. */
export interface Backend {
  /** The word for it on the command line, and its service in `compose.yaml`. */
  readonly name: string;
  readonly title: string;
  /** Environment variable that names a server by URL. Set and empty, it says that tests do without. */
  readonly variable: string;
  /** Where a server of this host usually listens. */
  readonly usual: string;
  readonly probe: Probe;
  readonly recipe: Recipe;
}

/** All that there are. Whoever adds one adds its service to `compose.yaml`. */
export const BACKENDS: readonly Backend[] = [
  backend(
    "postgres",
    "PostgreSQL",
    "postgres://postgres@127.0.0.1:5432/postgres",
    probePostgres,
    postgresRecipe,
  ),
  backend("mysql", "MySQL", "mysql://root@127.0.0.1:3306/test", probeMysql, mysqlRecipe),
  backend("redis", "Redis", "redis://127.0.0.1:6379", probeRedis, redisRecipe),
];

/** Undefined when there is none of that name. */
export function backendOf(name: string): Backend | undefined {
  return BACKENDS.find((backend) => backend.name === name);
}

function backend(name: string, title: string, usual: string, probe: Probe, recipe: Recipe): Backend {
  return { name, title, variable: `MAGEFLOW_TEST_${name.toUpperCase()}`, usual, probe, recipe };
}
