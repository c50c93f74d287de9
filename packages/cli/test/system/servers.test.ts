import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { findServerOf, needs } from "../../../../scripts/servers/find-server.ts";
import { Scene } from "./cli.ts";

const server = await findServerOf("postgres");

test("a command that looks makes no store on a server", needs(server), async () => {
  await using scene = new Scene();
  const url = new URL(server.url);
  url.searchParams.set("schema", `test_${randomUUID().replaceAll("-", "_")}`);
  for (const args of [["ps"], ["show", "none"], ["cancel", "none"]]) {
    const { code, stderr } = await scene.run(...args, "--store", url.href);
    expect(stderr).toContain("there is no store in PostgreSQL");
    expect(code).toBe(6);
  }
});
