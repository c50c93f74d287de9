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
  /** Null when a program is missing. */
  find(): Kitchen | null;
}

/** The programs of a recipe that have been found. The folder is empty at first and theirs alone. */
interface Kitchen {
  /** Runs to its end before the server is started. */
  prepare(folder: string): Command | null;
  /** Runs until it is told to end, and listens on 127.0.0.1. */
  serve(folder: string, port: number): Command;
}

/** What is in these servers need outlive a process, for tests kill them, but not the machine: none waits for a disk. */
export const postgresRecipe: Recipe = {
  packages: ["postgresql"],
  user: "postgres",
  ending: "SIGINT",
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
        "--fsync=off",
        "--max-connections=200",
      ],
    };
  },
};

export const mysqlRecipe: Recipe = {
  packages: ["mariadb-server-core"],
  user: "mysql",
  ending: "SIGTERM",
  find: () => {
    const mariadb = findProgram("mariadbd");
    const install = findProgram("mariadb-install-db");
    const mysql = findProgram("mysqld");
    const server = install === null ? mysql : mariadb;
    if (server === null) return null;
    return {
      prepare: (folder) => {
        writeFileSync(join(folder, "first.sql"), "CREATE DATABASE IF NOT EXISTS test;\n");
        const data = `--datadir=${join(folder, "data")}`;
        return install === null
          ? [server, "--no-defaults", "--initialize-insecure", data]
          : [install, "--no-defaults", "--auth-root-authentication-method=normal", data];
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
        // Else it would take files that another server is working with for left over.
        `--tmpdir=${folder}`,
        "--innodb-flush-log-at-trx-commit=2",
        "--loose-mysqlx=OFF",
      ],
    };
  },
};

export const redisRecipe: Recipe = {
  packages: ["redis-server"],
  user: "redis",
  ending: "SIGTERM",
  find: () => {
    const server = findProgram("redis-server");
    if (server === null) return null;
    return {
      prepare: () => null,
      serve: (folder, port) => {
        const saved = ["--dir", folder, "--save", "", "--appendonly", "no"];
        return [server, "--port", String(port), "--bind", "127.0.0.1", ...saved];
      },
    };
  },
};
