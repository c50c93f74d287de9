import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { fixture, Scene } from "./cli.ts";

const COMMAND = fileURLToPath(new URL("../../bin/mageflow.js", import.meta.url));

test("the command of a checkout finds isolated tasks when Node is not told to use the sources", async () => {
  await using scene = new Scene();
  const args = [COMMAND, "run", fixture("isolated"), "--json", "--store", "work.db"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: scene.directory });
  expect(JSON.parse(stdout)).toMatchObject({ status: "SUCCEEDED", result: 2 });
});
