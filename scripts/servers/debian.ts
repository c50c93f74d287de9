import { execFileSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { findProgram } from "./programs.ts";

/** Asked by Debian's packages before they start what they bring; 101 forbids it. */
const POLICY = "/usr/sbin/policy-rc.d";

/** Whether packages can be installed: by root, and where there is apt. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && findProgram("apt-get") !== null;
}

/** Installs them and lets none of their servers start on the standard ports. What apt says goes to stderr. Throws when apt fails. */
export function install(packages: readonly string[]): void {
  const isOurs = !existsSync(POLICY);
  if (isOurs) writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    apt("update", "-qq");
    apt("install", "-qq", "-y", "--no-install-recommends", ...packages);
  } finally {
    if (isOurs) rmSync(POLICY);
  }
}

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync(findProgram("apt-get")!, args, { env, stdio: ["ignore", 2, 2] });
}
