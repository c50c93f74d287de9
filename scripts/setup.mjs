// Makes the checkout ready: the packages of the lockfile and the Node that the scripts run on (npm package `node`).
// Every public script runs this first, as its `pre` script: a separate shell, so that the script itself finds the
// Node just installed. Plain JavaScript for whatever Node the machine has. Prints to stderr only, and only when
// something is missing.
import { execFileSync, spawnSync } from "node:child_process";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const needed = [24, 15];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, "node_modules", ".bin");
const node = join(bin, process.platform === "win32" ? "node.cmd" : "node");
const lock = join(root, ".setup-lock");

if (!isReady()) await withLock(install);

function isReady() {
  return packagesMatch() && nodeWorks();
}

/**
 * npm writes node_modules/.package-lock.json last, so it tells what is there, whoever ran `npm ci`. Entries without
 * integrity are the workspaces themselves; optional ones may be for other platforms.
 */
function packagesMatch() {
  const wanted = readPackages(join(root, "package-lock.json"));
  const found = readPackages(join(root, "node_modules", ".package-lock.json"));
  if (!wanted || !found) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!entry.integrity) return true;
    const there = found[path];
    if (!there) return entry.optional === true;
    return there.version === entry.version && there.integrity === entry.integrity;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** Missing after `npm ci --ignore-scripts`, unusable when node_modules came from another platform. */
function nodeWorks() {
  try {
    const isSelf = realpathSync(node) === realpathSync(process.execPath);
    const version = isSelf ? process.version : execFileSync(node, ["--version"], { encoding: "utf8" });
    const [major, minor] = version.slice(1).split(".").map(Number);
    return major > needed[0] || (major === needed[0] && minor >= needed[1]);
  } catch {
    return false;
  }
}

function install() {
  if (isReady()) return;
  if (!packagesMatch()) npm("ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error");
  if (!nodeWorks()) npm("rebuild", "node", "--ignore-scripts=false", "--loglevel=error");
  if (!nodeWorks())
    fail(`node_modules/.bin/node is not Node >= ${needed.join(".")}: remove node_modules and try again`);
}

/** npm must not run on the Node that it is about to remove, hence a PATH without node_modules. */
function npm(...args) {
  process.stderr.write(`setup: npm ${args.join(" ")}\n`);
  const paths = (process.env.PATH ?? "").split(delimiter).filter((path) => !path.includes("node_modules"));
  const { status } = spawnSync("npm", args, {
    cwd: root,
    env: { ...process.env, PATH: paths.join(delimiter) },
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) fail(`npm ${args[0]} failed (exit code ${status})`);
}

function fail(message) {
  throw new Error(message);
}

/**
 * One process at a time. The lock is a folder holding a file named after its owner, moved into place as a whole:
 * a rename onto a folder that is not empty fails. A dead owner's file can be unlinked once, by its name, so nobody
 * breaks a lock that somebody else has taken meanwhile.
 */
async function withLock(work) {
  const mine = `${lock}-${process.pid}`;
  rmSync(mine, { recursive: true, force: true });
  mkdirSync(mine);
  writeFileSync(join(mine, String(process.pid)), "");
  process.on("exit", () => rmSync(mine, { recursive: true, force: true }));
  for (let told = false; !take(mine); told = true) {
    if (!told) process.stderr.write("setup: waiting for another setup in this checkout\n");
    breakIfDead();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  try {
    work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function take(mine) {
  try {
    renameSync(mine, lock);
    return true;
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST", "EPERM"].includes(error.code)) return false;
    throw error;
  }
}

function breakIfDead() {
  try {
    for (const owner of readdirSync(lock)) if (!isAlive(Number(owner))) rmSync(join(lock, owner));
    rmdirSync(lock);
  } catch {
    // Held by a living process, or gone meanwhile.
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
