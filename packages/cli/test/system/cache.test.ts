import { describe, expect, test } from "vitest";
import { findServerOf, needs } from "../../../../scripts/servers/find-server.ts";
import { fixture, Scene } from "./cli.ts";

const redis = await findServerOf("redis");

describe("mageflow cache", needs(redis), () => {
  test("stats, verify and rebuild of a cache that is there", async () => {
    await using scene = new Scene();
    const store = ["--store", "flows.db", "--cache", redis.url];
    const ran = await scene.run("run", fixture("good"), ...store);
    expect(ran.code).toBe(0);
    const { value } = await scene.json<{ items: { id: string }[] }>("ps", ...store);
    await scene.run("show", value.items[0]!.id, ...store);
    const stats = await scene.json<{ health: string; shared: { all: { misses: number } } }>(
      "cache",
      "stats",
      ...store,
    );
    expect(stats).toMatchObject({ code: 0, value: { health: "ok", why: null } });
    expect(stats.value.shared.all.misses).toBeGreaterThan(0);
    const text = await scene.run("cache", "stats", ...store);
    expect(text.stdout).toMatch(/health +ok/);
    expect(text.stdout).toMatch(/memory +[\d.]+ MB of /);
    expect(await scene.json("cache", "verify", ...store)).toMatchObject({
      code: 0,
      value: { ok: true, differences: 0, found: [] },
    });
    expect(await scene.json("cache", "rebuild", ...store)).toEqual({ code: 0, value: { rebuilt: true } });
    expect((await scene.run("cache", "verify", ...store)).stdout).toMatch(/^sound: /);
  });
});

test("a cache that is not there is told of, and keeps nothing else from its work", async () => {
  await using scene = new Scene();
  const store = ["--store", "flows.db", "--cache", "redis://127.0.0.1:1"];
  expect((await scene.run("run", fixture("good"), ...store)).code).toBe(0);
  expect((await scene.run("ps", ...store)).stdout).toContain("SUCCEEDED");
  const stats = await scene.run("cache", "stats", ...store);
  expect(stats).toMatchObject({ code: 6, stdout: expect.stringMatching(/health +degraded: .*ECONNREFUSED/) });
  for (const verb of ["verify", "rebuild"])
    expect(await scene.run("cache", verb, ...store)).toMatchObject({
      code: 6,
      stderr: expect.stringContaining("cannot be used"),
    });
});

test("where no cache is named, or nothing is asked of it, the command says what to do", async () => {
  await using scene = new Scene();
  expect((await scene.run("run", fixture("good"), "--store", "flows.db")).code).toBe(0);
  for (const verb of ["stats", "verify", "rebuild"])
    expect(await scene.run("cache", verb, "--store", "flows.db")).toMatchObject({
      code: 2,
      stderr:
        "mageflow: there is no cache to look after\n          name one with --cache redis://host:6379 or MAGEFLOW_CACHE\n",
    });
  const odd = await scene.run("cache", "stats", "--store", "flows.db", "--cache", "http://host");
  expect(odd).toMatchObject({ code: 2, stderr: expect.stringContaining("redis://host:6379") });
  expect(await scene.run("cache")).toMatchObject({ code: 2, stderr: expect.stringContaining("rebuild") });
});
