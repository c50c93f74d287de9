import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fixture, Scene } from "./cli.ts";

interface Locked {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  readonly until: number;
}

interface Shown {
  readonly status: { readonly status: string; readonly locks: readonly { readonly id: string }[] };
}

const MAGEFLOW = [
  process.execPath,
  "--conditions=@mageflow/source",
  fileURLToPath(new URL("../../src/main.ts", import.meta.url)),
];

async function submit(scene: Scene): Promise<string> {
  const message = JSON.stringify({ file: scene.path("gate") });
  const given = ["run", fixture("gated"), "--no-worker", "--message", message];
  return (await scene.json<{ id: string }>(...given)).value.id;
}

test("lock keeps others from it and its parts, is shown, and unlock gives it back or takes it away", async () => {
  await using scene = new Scene();
  const id = await submit(scene);
  const { code, value } = await scene.json<Locked>("lock", id, "--for", "10m");
  expect({ code, value }).toMatchObject({ code: 0, value: { id, token: expect.any(String) } });
  expect(value.until).toBeGreaterThan(Date.now());
  const part = `${id}.0`;
  for (const target of [id, part]) {
    const refused = await scene.run("suspend", target, "--json");
    expect(refused.code).toBe(5);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: "LOCKED" } });
  }
  expect((await scene.run("show", id)).stdout).toMatch(/\n  locked +by .*, until .* \(in 9m.*\)\n/);
  expect((await scene.run("show", part)).stdout).toMatch(
    new RegExp(`\\n  locked +with ${id}, by .*, until `),
  );
  expect((await scene.run("unlock", id)).code).toBe(5);
  expect((await scene.run("unlock", id, "--token", "wrong")).code).toBe(5);
  const back = await scene.run("unlock", id, "--token", value.token);
  expect(back).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(new RegExp(`^unlocked  .*  ${id}\n$`)),
  });
  expect(await scene.json("unlock", id)).toMatchObject({ code: 0, value: { unlocked: false } });

  const printed = (await scene.run("lock", part)).stdout;
  expect(printed).toMatch(
    /^locked .* until .*\nact under it: MAGEFLOW_LOCK=\w+ npx mageflow …\ngive it back: /,
  );
  expect((await scene.json<Shown>("show", id)).value.status.locks).toMatchObject([{ id: part }]);
  expect((await scene.run("suspend", id)).code).toBe(5);
  const forced = await scene.json("unlock", part, "--force", "--reason", "left over");
  expect(forced).toMatchObject({ code: 0, value: { id: part, unlocked: true } });
  expect((await scene.run("suspend", id)).code).toBe(0);
  const { items } = (await scene.json<{ items: object[] }>("audit")).value;
  expect(items).toMatchObject([
    { action: "unlock", target: part, reason: "left over" },
    { action: "suspend", target: id },
  ]);
});

test("lock holds it while a command runs, which acts under it, and ends with its exit code", async () => {
  await using scene = new Scene();
  const id = await submit(scene);
  const wait =
    "process.on('SIGTERM', () => process.exit(7)); console.log('held'); setInterval(() => {}, 1000)";
  const holder = scene.start("lock", id, "--for", "300ms", "--", process.execPath, "-e", wait);
  await holder.printed(/held\n/);
  const { value } = await scene.json<{ signature: { lock: { until: number } } }>("show", id);
  // It has been given its time once more.
  for (let until = value.signature.lock.until; until === value.signature.lock.until;) {
    const shown = await scene.json<typeof value>("show", id);
    until = shown.value.signature.lock.until;
  }
  expect((await scene.run("suspend", id)).code).toBe(5);
  holder.kill("SIGTERM");
  expect(await holder.ended).toMatchObject({ code: 7, stderr: "" });
  expect((await scene.json<Shown>("show", id)).value.status.locks).toEqual([]);

  const inside = await scene.run("--json", "lock", id, "--", ...MAGEFLOW, "suspend", id);
  expect(inside).toMatchObject({ code: 0, stderr: expect.stringMatching(/^SUSPENDED /) });
  expect(JSON.parse(inside.stdout)).toMatchObject({ id, exitCode: 0 });
  expect((await scene.json<Shown>("show", id)).value.status).toMatchObject({
    status: "SUSPENDED",
    locks: [],
  });
  const missing = await scene.run("lock", id, "--json", "--", "no-such-command", "--verbose");
  expect(missing.code).toBe(2);
  expect(JSON.parse(missing.stderr)).toMatchObject({ error: { code: "FILE_NOT_FOUND" } });
  const removed = await scene.run("lock", id, "--", ...MAGEFLOW, "cancel", id, "--yes");
  expect(removed).toMatchObject({ code: 0, stderr: "" });
  expect((await scene.run("show", id)).code).toBe(4);
});
