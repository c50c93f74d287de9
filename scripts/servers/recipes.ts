import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, folderOf } from "./programs.ts";

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** How one starts a server of one's own, from what is installed. */
export interface Recipe {
  /** Packages of Debian that bring the programs. */
  readonly packages: readonly string[];
  /** Whom it runs as when root starts it: the user of the package, or `nobody` where there is none. */
  readonly user: string;
  /** What makes it end without waiting for its clients. */
  readonly ending: "SIGINT" | "SIGTERM";
  /** What makes it end in the middle of everything, as a loss of power does but for the disk. */
  readonly crash: "SIGQUIT" | "SIGKILL";
  /** Null when a program is missing. */
  find(): Kitchen | null;
}

/** The programs of a recipe that have been found. The folder is empty at first and theirs alone. */
export interface Kitchen {
  /** Runs to its end before the server is started. */
  prepare(folder: string): Command | null;
  /** Runs until it is told to end, and listens on 127.0.0.1. The settings are those that it comes with. */
  serve(folder: string, port: number): Command;
  /** Settings for what need outlive a process, for tests kill them, but not the machine: it does not wait for a disk. */
  readonly hasty: readonly string[];
}

export const postgresRecipe: Recipe = {
  packages: ["postgresql"],
  user: "postgres",
  ending: "SIGINT",
  // What it has started ends with it, which it does not when it is killed.
  crash: "SIGQUIT",
  find: () => {
    const bin = folderOf(["initdb", "postgres"]);
    if (bin === null) return null;
    return {
      prepare: (folder) => [
        join(bin, "initdb"),
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
        `--pgdata=${join(folder, "data")}`,
      ],
      serve: (folder, port) => [
        join(bin, "postgres"),
        `-D${join(folder, "data")}`,
        `--port=${port}`,
        "--listen-addresses=127.0.0.1",
        "--unix-socket-directories=",
        "--max-connections=200",
      ],
      hasty: ["--fsync=off"],
    };
  },
};

export const mysqlRecipe: Recipe = {
  packages: ["mariadb-server-core"],
  user: "mysql",
  ending: "SIGTERM",
  crash: "SIGKILL",
  find: () => {
    const mariadb = findProgram("mariadbd");
    const install = findProgram("mariadb-install-db");
    const mysql = findProgram("mysqld");
    const server = install === null ? mysql : mariadb;
    if (server === null) return null;
    return {
      prepare: (folder) => {
        writeFileSync(join(folder, "first.sql"), "CREATE DATABASE IF NOT EXISTS test;\n");
        const places = [`--datadir=${join(folder, "data")}`, tmpdir(folder)];
        return install === null
          ? [server, "--no-defaults", "--initialize-insecure", ...places]
          : [
              install,
              "--no-defaults",
              "--auth-root-authentication-method=normal",
              "--skip-test-db",
              ...places,
            ];
      },
      serve: (folder, port) => [
        server,
        "--no-defaults",
        `--datadir=${join(folder, "data")}`,
        `--init-file=${join(folder, "first.sql")}`,
        `--port=${port}`,
        "--bind-address=127.0.0.1",
        `--socket=${join(folder, "socket")}`,
        `--pid-file=${join(folder, "pid")}`,
        tmpdir(folder),
        "--loose-mysqlx=OFF",
      ],
      hasty: ["--innodb-flush-log-at-trx-commit=2"],
    };
  },
};

/** In a folder that others use too it would take files that another server is working with for left over. */
function tmpdir(folder: string): string {
  return `--tmpdir=${folder}`;
}

export const redisRecipe: Recipe = {
  packages: ["redis-server"],
  user: "redis",
  ending: "SIGTERM",
  crash: "SIGKILL",
  find: () => {
    const server = findProgram("redis-server");
    if (server === null) return null;
    return {
      prepare: () => null,
      serve: (folder, port) => {
        const saved = ["--dir", folder, "--save", "", "--appendonly", "no"];
        return [server, "--port", String(port), "--bind", "127.0.0.1", ...saved];
      },
      hasty: [],
    };
  },
};
