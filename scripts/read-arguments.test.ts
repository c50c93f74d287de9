import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";

const scripts = ["sim", "boot", "chaos", "plans", "power-loss", "rolling", "shards", "shared-swarm"];

test.each(["bench/main.ts", ...scripts.map((name) => `scripts/${name}.ts`)])(
  "%s tells its usage",
  (script) => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, ["--conditions=@mageflow/source", script, ...args], {
        cwd: new URL("..", import.meta.url),
        encoding: "utf8",
      });
    const help = run("--help");
    expect(help).toMatchObject({ status: 0, stderr: "" });
    expect(help.stdout).toMatch(/^usage: npm run .*\n$/);
    const unknown = run("--sedes", "3");
    expect(unknown).toMatchObject({ status: 2, stdout: "" });
    expect(unknown.stderr).toMatch(/^Unknown option '--sedes'.*\nusage: npm run .*\n$/);
  },
);
