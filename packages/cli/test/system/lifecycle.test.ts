import { writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { fixture, Scene, type Started } from "./cli.ts";

interface Standing {
  id: string;
  name: string;
  status: string;
  execution: string;
  generation: number;
  heldBy: string | null;
  deletion: { markedAt: number; purgeAt: number; by: string; reason: string | null } | null;
  interrupted: { reason: string | null; clean: boolean | null } | null;
}

interface CancelPlan {
  id: string;
  impact: { descendants: number; running: number };
  token: string;
  cancelled: boolean;
  removed: boolean;
}

interface Deed {
  seq: number;
  action: string;
  target: string;
  reason: string | null;
}

/** Stores a workflow that ends when its gate is opened, and starts nothing of it. */
async function submit(scene: Scene, plan: string): Promise<string> {
  const message = JSON.stringify({ file: scene.path("gate") });
  const { value } = await scene.json<{ id: string }>(
    "run",
    fixture(plan),
    "--no-worker",
    "--message",
    message,
  );
  return value.id;
}

/** A worker that has begun with everything that was submitted, and logs. */
async function startWorker(scene: Scene, plan: string): Promise<Started> {
  const worker = scene.start("worker", fixture(plan), "--logs");
  await worker.printed(/ waiting\n/, "stderr");
  return worker;
}

async function audit(scene: Scene): Promise<Deed[]> {
  return (await scene.json<{ items: Deed[] }>("audit")).value.items;
}

test("interrupt stops it, with its cleanup, and resume goes on and says that it was clean", async () => {
  await using scene = new Scene();
  const id = await submit(scene, "guarded");
  const worker = await startWorker(scene, "guarded");
  const stopped = await scene.json<Standing>("interrupt", id, "--reason", "by hand");
  expect(stopped).toMatchObject({
    code: 0,
    value: { id, status: "INTERRUPTED", interrupted: { reason: "by hand", clean: true } },
  });
  await worker.printed(/^cleaned up\n/m, "stderr");
  const again = await scene.run("interrupt", id);
  expect(again).toMatchObject({ code: 0, stdout: `INTERRUPTED  guarded  ${id}  by hand\n` });

  expect((await scene.run("ps")).stdout).toMatch(/STATUS +NOTE .*\n.* INTERRUPTED +by hand /);
  const shown = (await scene.run("show", id)).stdout;
  expect(shown).toContain("\n  stopped     by hand (clean: all that ran had ended by itself)\n");
  expect(shown).toContain(`├─ ${id}.0  gate  INTERRUPTED  by hand`);

  expect((await scene.json("resume", `${id}.0`)).value).toMatchObject({ heldBy: id });
  writeFileSync(scene.path("gate"), "");
  const resumed = await scene.run("resume", id);
  expect(resumed.stdout).toMatch(new RegExp(`  guarded  ${id}\nclean: all that ran had ended by itself\n$`));
  const follow = scene.start("logs", id, "--inside", "--follow");
  expect((await follow.ended).stdout.match(/ cleaned\n/g)).toHaveLength(2);
  expect((await scene.json<{ signature: Standing }>("show", id)).value.signature).toMatchObject({
    status: "SUCCEEDED",
    generation: 2,
  });
  const refused = await scene.run("interrupt", id, "--json");
  expect(refused.code).toBe(5);
  expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: "ILLEGAL_TRANSITION" } });
  worker.kill("SIGTERM");
  await worker.ended;
  expect((await audit(scene)).map(({ action }) => action)).toEqual(["interrupt", "resume", "resume"]);
});

test("a callback that was stopped is shown by what it keeps from settling, and named to those who purge it", async () => {
  await using scene = new Scene();
  const id = await submit(scene, "followed");
  const worker = scene.start("worker", fixture("followed"), "--tasks", "double");
  const callback = `${id}.success0`;
  // It is there when what it follows has ended.
  while ((await scene.run("interrupt", callback)).code !== 0);
  expect((await scene.run("show", id)).stdout).toContain(
    `\n  not settled  clean is INTERRUPTED, it goes on by: npx mageflow resume ${callback}\n`,
  );
  const refused = await scene.run("purge", id);
  expect(refused.code).toBe(5);
  expect(refused.stderr).toContain(`; open inside it: "${callback}" (clean, INTERRUPTED)`);
  await scene.run("resume", callback);
  const resumed = (await scene.run("show", id)).stdout;
  expect(resumed).not.toContain("not settled");
  expect(resumed).toContain("\nresult: 42\n");

  // Its cleanup waits for a worker, and it has no result any more.
  expect((await scene.run("cancel", id, "--yes")).stdout).toMatch(
    new RegExp(`^SUCCEEDED  double  ${id}\n  removes  .*\ncancelled  double  ${id}  it is removed when`),
  );
  const cancelled = await scene.run("show", id);
  expect(cancelled.code).toBe(0);
  expect(cancelled.stdout).toContain("\nit was cancelled, and is removed when its cleanups have run\n");
  expect(cancelled.stdout).not.toContain("result");
  expect(await scene.run("purge", id)).toMatchObject({
    code: 5,
    stderr: expect.stringContaining("give them up with abandonCleanups"),
  });
  expect(await scene.run("purge", id, "--abandon-cleanups")).toMatchObject({
    code: 0,
    stdout: `removed  double  ${id}\n`,
  });
  expect((await scene.run("show", id)).code).toBe(4);
  worker.kill("SIGTERM");
  await worker.ended;
});

test("gc --dry-run tells what is due and waits for its end", async () => {
  await using scene = new Scene();
  const id = await submit(scene, "followed");
  const worker = scene.start("worker", fixture("followed"), "--tasks", "double");
  while ((await scene.run("interrupt", `${id}.success0`)).code !== 0);
  worker.kill("SIGTERM");
  await worker.ended;
  await scene.run("delete", id, "--after", "1s");
  const listed = async (): Promise<{ due: boolean; waitsFor: string | null }> =>
    (await scene.json<{ items: [{ due: boolean; waitsFor: string | null }] }>("gc", "--dry-run")).value
      .items[0];
  let marked = await listed();
  while (!marked.due) marked = await listed();
  expect(marked.waitsFor).toBe("its end");
  expect((await scene.json("gc")).value).toMatchObject({ removed: 0, left: 1 });
});

test("code that does not hear is given up, shown as abandoned, and resume says so", async () => {
  await using scene = new Scene();
  const id = await submit(scene, "unheard");
  const worker = await startWorker(scene, "unheard");
  const { value } = await scene.json<Standing>("interrupt", id, "--grace", "50ms");
  expect(value.interrupted).toEqual({ reason: null, clean: false });
  expect((await scene.run("ps")).stdout).toMatch(/ INTERRUPTED +abandoned /);
  expect((await scene.run("show", id)).stdout).toContain(
    "stopped     not clean: code of it was ended, or given up",
  );
  const resumed = await scene.run("resume", id);
  expect(resumed.stdout).toContain(
    "\nnot clean: code of it has not ended by itself and may still go on somewhere",
  );
  writeFileSync(scene.path("gate"), "");
  worker.kill("SIGTERM");
  await worker.ended;
});

test("run ends with 5 and tells how to go on when it was interrupted", async () => {
  await using scene = new Scene();
  const message = JSON.stringify({ file: scene.path("gate") });
  const run = scene.start("run", fixture("guarded"), "--message", message);
  const id = (await run.printed(/as \S+/, "stderr")).slice(3);
  const follow = scene.start("logs", id, "--inside", "--follow");
  await follow.printed(/waiting\n/);
  await scene.run("interrupt", id, "--reason", "by hand");
  const { code, stdout } = await run.ended;
  expect(code).toBe(5);
  expect(stdout).toMatch(
    new RegExp(`^INTERRUPTED  guarded  ${id} in \\S+  by hand\nit goes on by: npx mageflow resume ${id}\n$`),
  );
  expect((await follow.ended).code).toBe(0);
});

test("cancel says what it would remove, and does it by its token, with a trace that outlives it", async () => {
  await using scene = new Scene();
  const id = await submit(scene, "guarded");
  const worker = await startWorker(scene, "guarded");
  const told = await scene.run("cancel", id, "--reason", "wrong input");
  expect(told.code).toBe(0);
  expect(told.stdout).toMatch(
    new RegExp(
      `^RUNNING  guarded  ${id}\n  removes  3 signatures \\(2 running\\), \\d log lines?, \\d+ B\n  token    \\S+ \\(until \\S+ \\S+\\)\nnothing is cancelled yet: npx mageflow cancel ${id} --reason 'wrong input' --token \\S+\n$`,
    ),
  );
  expect((await scene.json<{ status: Standing }>("show", id)).value.status.execution).toBe("RUNNING");
  const token = / --token (\S+)\n/.exec(told.stdout)![1]!;

  const wrong = await scene.run("cancel", id, "--token", "none", "--json");
  expect(wrong.code).toBe(5);
  expect(JSON.parse(wrong.stderr)).toMatchObject({ error: { code: "STALE_CONFIRMATION" } });

  const done = await scene.json("cancel", id, "--token", token, "--reason", "wrong input");
  expect(done).toMatchObject({ code: 0, value: { id, cancelled: true } });
  await worker.printed(/^cleaned up\n/m, "stderr");
  worker.kill("SIGTERM");
  await worker.ended;

  // What is left to do in its last second, this does.
  await scene.run("gc");
  const gone = await scene.run("show", id);
  expect(gone).toMatchObject({ code: 4, stdout: "" });
  expect(gone.stderr).toMatch(
    new RegExp(
      `^mageflow: "${id}" was cancelled at \\S+ by \\S+ \\(wrong input\\)\n +\`npx mageflow audit\` lists who has done what\n$`,
    ),
  );
  expect((await scene.json("cancel", id, "--token", token)).value).toMatchObject({ removed: true });
  const [deed] = await audit(scene);
  expect(deed).toMatchObject({ seq: 1, action: "cancel", target: id, reason: "wrong input" });
  expect((await scene.run("audit")).stdout).toMatch(
    new RegExp(`^SEQ +AT +ACTOR +ACTION +TARGET +REASON +DETAILS\n1 .* cancel +${id} +wrong input `),
  );
});

test("cancel takes all that its filters fit, when it is told yes", async () => {
  await using scene = new Scene();
  const ids = [await submit(scene, "guarded"), await submit(scene, "guarded")];
  const other = await submit(scene, "gated");
  const { token } = (await scene.json<CancelPlan>("cancel", ids[0]!)).value;
  const mistaken = await scene.run("cancel", other, "--token", token);
  expect(mistaken.code).toBe(5);
  expect(mistaken.stderr).toContain(`the confirmation is for "guarded" (${ids[0]}), not for "${other}"`);
  const told = await scene.run("cancel", "--tag", "import");
  expect(told.stdout).toMatch(/\n2 workflows: 6 signatures \(2 running\), 0 log lines, \d+ B\nnothing is/);
  const one = await scene.json<{ items: CancelPlan[]; more: boolean }>("cancel", "-t", "import", "-l", "1");
  expect(one.value).toMatchObject({ items: [{ id: ids[1], cancelled: false, removed: false }], more: true });

  const all = await scene.json<{ items: CancelPlan[] }>("cancel", "--name", "guarded", "--yes");
  expect(all.value.items.map(({ id, cancelled }) => [id, cancelled])).toEqual(
    ids.toReversed().map((id) => [id, true]),
  );
  // Their cleanups wait for a worker, and nothing else of them is run.
  expect((await scene.json("cancel", "--tag", "import")).value).toEqual({ items: [], more: false });
  const worker = scene.start("worker", fixture("guarded"), "--tasks", "clean");
  await worker.printed(/(cleaned up\n[^]*){2}/, "stderr");
  worker.kill("SIGTERM");
  await worker.ended;
  await scene.run("gc");
  const { value } = await scene.json<{ items: Standing[] }>("ps");
  expect(value.items.map(({ id }) => id)).toEqual([other]);
  expect((await scene.run("cancel", "--tag", "none")).stdout).toBe("Nothing fits these filters.\n");
});

test("delete marks, extend moves, restore takes back, rerun begins again", async () => {
  await using scene = new Scene();
  const { value: run } = await scene.json<{ id: string }>("run", fixture("bundle"));
  const { id } = run;
  const marked = await scene.json<Standing & { marked: boolean }>("delete", id, "--after", "7d", "-r", "old");
  expect(marked.value).toMatchObject({
    status: "MARKED_FOR_DELETION",
    execution: "SUCCEEDED",
    deletion: { reason: "old" },
    marked: true,
  });
  const { markedAt, purgeAt } = marked.value.deletion!;
  expect(purgeAt - markedAt).toBe(7 * 86_400_000);
  expect((await scene.run("delete", id, "--after", "1d")).stdout).toMatch(
    new RegExp(
      `^MARKED_FOR_DELETION  double  ${id}  SUCCEEDED, removed in 7d\nit was marked before, and keeps its time: npx mageflow extend ${id} --after <duration>\n$`,
    ),
  );
  expect((await scene.run("ps", "--marked")).stdout).toMatch(
    / MARKED_FOR_DELETION +SUCCEEDED, removed in 7d /,
  );
  const shown = (await scene.run("show", id)).stdout;
  expect(shown).toMatch(/^MARKED_FOR_DELETION {2}double {2}task\n/);
  expect(shown).toMatch(
    /\n {2}execution {3}SUCCEEDED\n {2}removed {5}\S+ \S+ \(in 7d\), marked by \S+: old\n/,
  );
  expect(shown).toContain("\nresult: 42\n");
  const { value: list } = await scene.json("gc", "--dry-run");
  expect(list).toMatchObject({ items: [{ id, due: false }], next: null });
  expect((await scene.run("gc", "--dry-run")).stdout).toMatch(
    new RegExp(`^DUE +ID +NAME +EXECUTION +BY +REASON\nin 7d +${id} +double +SUCCEEDED +\\S+ +old\n$`),
  );
  expect((await scene.json("gc")).value).toEqual({ removed: 0, left: 0, kept: [] });

  const until = "2097-01-31T06:00:00.000Z";
  const moved = await scene.json<Standing>("extend", id, "--at", until);
  expect(moved.value.deletion!.purgeAt).toBe(Date.parse(until));
  const restored = await scene.json<Standing>("restore", id);
  expect(restored.value).toMatchObject({ status: "SUCCEEDED", deletion: null });
  expect((await scene.run("extend", id, "--after", "1d")).code).toBe(5);

  await scene.run("delete", id, "--after", "1h");
  const rerun = await scene.json<Standing>("rerun", id, "--message", '{"n":4}');
  expect(rerun.value).toMatchObject({ status: "READY", generation: 2, deletion: null });
  const worker = scene.start("worker", fixture("bundle"));
  const logs = scene.start("logs", id, "--follow");
  expect((await logs.ended).stdout).toContain('{"n":4}');
  worker.kill("SIGTERM");
  expect((await worker.ended).code).toBe(0);
  expect((await scene.run("show", id)).stdout).toContain("\nresult: 8\n");
});

test("worker tells of what fails when a workflow begins again", async () => {
  await using scene = new Scene();
  const worker = scene.start("worker", fixture("bad"));
  await worker.printed(/ ready: /);
  const { value: run } = await scene.json<{ id: string }>("run", fixture("bad"), "--no-worker");
  await worker.printed(/(failed in attempt 1: Error: no [^]*){2}/, "stderr");
  await scene.run("logs", run.id, "--follow");
  await scene.run("rerun", run.id);
  await worker.printed(/(failed in attempt 1: Error: no [^]*){4}/, "stderr");
  worker.kill("SIGTERM");
  expect((await worker.ended).code).toBe(0);
});

test("purge and gc remove, a tombstone tells by whom, and the audit trail shows that nothing was changed in it", async () => {
  await using scene = new Scene();
  const ids: string[] = [];
  for (let n = 0; n < 2; n++) ids.push((await scene.json<{ id: string }>("run", fixture("bundle"))).value.id);
  const [first, second] = ids as [string, string];
  const open = await submit(scene, "gated");
  expect((await scene.run("purge", open, "--json")).code).toBe(5);
  expect((await scene.run("purge", first, "-r", "secret")).stdout).toBe(`removed  double  ${first}\n`);
  const gone = await scene.run("rerun", first, "--json");
  expect(gone.code).toBe(4);
  expect(JSON.parse(gone.stderr)).toMatchObject({
    error: { code: "GONE", message: expect.stringMatching(/was deleted at \S+ by \S+ \(secret\)$/) },
  });

  expect(gone.stdout).toBe("");

  await scene.run("delete", second, "--at", "2026-01-01T00:00Z", "--stub");
  expect((await scene.run("gc")).code).toBe(0);
  const stub = await scene.run("show", second);
  expect(stub.code).toBe(4);
  expect(stub.stdout).toMatch(
    new RegExp(`^SUCCEEDED {2}double {2}task\n {2}id +${second}\n {2}removed +\\S+ \\S+\n`),
  );
  expect(stub.stderr).toContain("was deleted at ");
  expect((await scene.json<{ items: Standing[] }>("ps")).value.items.map(({ id }) => id)).toEqual([open]);

  expect(await audit(scene)).toMatchObject([
    { action: "purge", target: first, reason: "secret" },
    { action: "delete", target: second },
  ]);
  const page = await scene.run("audit", "--limit", "1");
  expect(page.stdout).toContain("there may be more: npx mageflow audit --limit 1 --before 2\n");
  expect(page.stdout).toMatch(/^2 .* delete /m);
  const older = await scene.json<{ items: Deed[]; next: number }>("audit", "--limit", "1", "--before", "2");
  expect(older.value).toMatchObject({ items: [{ seq: 1 }], next: 1 });
  expect((await scene.json<{ items: Deed[] }>("audit", "--after", "1")).value.items).toHaveLength(1);
  expect(await scene.json("audit", "--verify")).toEqual({ code: 0, value: { ok: true, brokenAt: null } });
  const database = new DatabaseSync(scene.path(".mageflow/mageflow.db"));
  database.prepare("UPDATE audit SET reason = 'none' WHERE seq = 1").run();
  database.close();
  expect(await scene.run("audit", "--verify")).toMatchObject({ code: 3, stdout: "broken at row 1\n" });
});
