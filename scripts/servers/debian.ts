import { spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { findProgram } from "./programs.ts";

/** Asked by Debian's packages before they start what they bring; 101 forbids it. */
const POLICY = "/usr/sbin/policy-rc.d";

/** Whether packages can be installed: by root, and where there is apt. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && findProgram("apt-get") !== null;
}

/** Installs them, if it can, and lets none of their servers start on the standard ports. What apt says goes to stderr. */
export function install(packages: readonly string[]): void {
  const isOurs = !existsSync(POLICY);
  if (isOurs) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    if (apt("update", "-qq")) apt("install", "-qq", "-y", "--no-install-recommends", ...packages);
  } finally {
    if (isOurs) rmSync(POLICY);
  }
}

/** Whether it went well. Waits while somebody else installs. */
function apt(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const options = ["-o", "DPkg::Lock::Timeout=300", ...args];
  return spawnSync(findProgram("apt-get")!, options, { env, stdio: ["ignore", 2, 2] }).status === 0;
}
