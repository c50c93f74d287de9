import { writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { fixture, Scene } from "./cli.ts";

interface Outcome {
  id: string;
  name: string;
  status: string;
  result: unknown;
  error: { name: string } | null;
  counts: { total: number };
}

interface Listing {
  items: { id: string; name: string; status: string; progress: { done: number; total: number } | null }[];
  next: string | null;
  workers: unknown[];
  unhandled: { task: string; ready: number }[];
}

test("run prints the result and ends with 0; ps, show, logs and verify tell of it", async () => {
  await using scene = new Scene();
  const { code, value: outcome } = await scene.json<Outcome>("run", fixture("good"));
  expect(code).toBe(0);
  expect(outcome).toMatchObject({
    name: "good",
    status: "SUCCEEDED",
    error: null,
    result: { total: 2, succeeded: 2, failed: 0, skipped: 0, results: [{ result: 2 }, { result: 4 }] },
  });

  const { value: listing } = await scene.json<Listing>("ps", "--tag", "even");
  expect(listing).toMatchObject({
    items: [{ id: outcome.id, status: "SUCCEEDED", progress: { done: 1, total: 1 } }],
    next: null,
    workers: [],
    unhandled: [],
  });
  expect((await scene.json<Listing>("ps", "--tag", "odd")).value.items).toEqual([]);
  expect((await scene.json<Listing>("ps", "--all", "--limit", "3")).value.items).toHaveLength(3);

  const { value: shown } = await scene.json("show", outcome.id);
  expect(shown).toMatchObject({
    signature: { id: outcome.id, kind: "chain" },
    result: outcome.result,
    status: { status: "SUCCEEDED", counts: { total: 1, succeeded: 1 } },
    children: { items: [{ id: `${outcome.id}.0`, name: "pair" }], next: null },
    callbacks: { items: [], next: null },
  });

  const { value: logs } = await scene.json<{ lines: { message: string }[]; next: number | null }>(
    "logs",
    outcome.id,
    "--inside",
  );
  expect(logs.lines).toMatchObject([{ fields: { n: 1 } }, { fields: { n: 2 } }]);
  expect(logs.lines.map(({ message }) => message)).toEqual(Array(2).fill("doubling\nforged \u001b[31mline"));
  expect(logs.next).toBeNull();

  const { code: sound, value: audit } = await scene.json("verify");
  expect(sound).toBe(0);
  expect(audit).toMatchObject({
    ok: true,
    audited: { workflows: 1, signatures: 4 },
    breaches: 0,
    warnings: 0,
    found: [],
  });
});

test("hints name the store without its password, and the cache", async () => {
  await using scene = new Scene();
  const cache = ["--cache", "redis://:secret@127.0.0.1:1"];
  writeFileSync(scene.path("made.db"), "");
  const empty = await scene.run("ps", "--store", "made.db", ...cache);
  const given = "--store made.db --cache redis://127.0.0.1:1";
  expect(empty.stdout).toContain(`\`npx mageflow run <file> ${given}\` starts one.`);
  expect(empty.stdout).toContain(`\`npx mageflow worker <file> ${given}\` starts one.`);
  const none = await scene.run("show", "none", "--store", "made.db", ...cache);
  expect(none.stderr).toContain(`\`npx mageflow ps --all ${given}\` lists`);
  const url = "postgres://ada:secret@127.0.0.1:1/flows";
  const strange = await scene.run("run", fixture("strange"), "--store", url);
  expect(strange.stderr).toMatch(/ --no-worker --store postgres:\/\/ada@127\.0\.0\.1:1\/flows\n$/);
  for (const { stdout, stderr } of [empty, none, strange]) expect(stdout + stderr).not.toContain("secret");
});

test("what the library warns of is told as the command's own warnings, that of others as Node does", async () => {
  await using scene = new Scene();
  const text = await scene.run("run", fixture("warns"));
  expect(text.code).toBe(0);
  expect(text.stderr).toContain("\nmageflow: the first \\n of ours\nmageflow: the second of ours\n");
  expect(text.stderr).toMatch(/^\(node:\d+\) \[ODD\] Warning: of somebody else$/m);
  expect(text.stderr.match(/--trace-warnings/g)).toHaveLength(1);
  expect(text.stderr).not.toContain("in detail");
  const verbose = await scene.run("run", fixture("warns"), "--verbose");
  expect(verbose.stderr).toContain("\nmageflow: the second of ours\nin detail\n");
  const json = await scene.run("run", fixture("warns"), "--json");
  expect(json.stderr.split("\n").filter((line) => line.startsWith("{"))).toEqual([
    String.raw`{"warning":"the first \n of ours","code":"CACHE_DEGRADED"}`,
    '{"warning":"the second of ours","detail":"in detail"}',
  ]);
});

test("a store that the module names is not passed over for --store", async () => {
  await using scene = new Scene();
  const url = "postgres://ada:another@127.0.0.1:1/flows";
  for (const command of ["run", "worker"]) {
    const told = await scene.run(command, fixture("elsewhere"), "--store", url);
    expect(told).toMatchObject({ code: 2, stdout: "" });
    expect(told.stderr).toMatch(
      /elsewhere\.ts names a store of its own, postgres:\/\/ada@127\.0\.0\.1:1\/flows, so that --store cannot/,
    );
  }
  const same = ["--store", scene.path("own.db")];
  expect((await scene.run("run", fixture("own-store"), ...same)).code).toBe(0);
  expect((await scene.run("ps", ...same)).stdout).toContain("SUCCEEDED");
});

test("a damaged record is named, and all others are shown", async () => {
  await using scene = new Scene();
  const { value: first } = await scene.json<Outcome>("run", fixture("good"), "--store", "work.db");
  const { value: second } = await scene.json<Outcome>("run", fixture("good"), "--store", "work.db");
  const db = new DatabaseSync(scene.path("work.db"));
  db.prepare("UPDATE signatures SET error = '{' WHERE id = ?").run(first.id);
  db.close();
  const listed = await scene.run("ps", "--json", "--store", "work.db");
  expect((JSON.parse(listed.stdout) as Listing).items.map(({ id }) => id)).toEqual([second.id]);
  expect(JSON.parse(listed.stderr)).toEqual({
    warning: expect.stringContaining(`"${first.id}" cannot be used: its column error is not JSON`),
    code: "STORE_CORRUPT",
  });
  const shown = await scene.run("show", first.id, "--store", "work.db");
  expect(shown.code).toBe(6);
  expect(shown.stderr).toMatch(/cannot be used: its column error is not JSON; `mageflow verify` lists/);
  const { code, value } = await scene.json<{ found: object[] }>("verify", "--store", "work.db");
  expect(code).toBe(3);
  expect(value.found).toContainEqual(
    expect.objectContaining({ id: first.id, message: "its column error is not JSON" }),
  );
});

test("what a module and its tasks print stays off the stdout that is for JSON", async () => {
  await using scene = new Scene();
  const ran = await scene.run("run", fixture("noisy"), "--json");
  expect(ran.code).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({ status: "SUCCEEDED", result: 3 });
  const printed = ["the module prints", "a task prints", "a thread prints", "a process prints"];
  for (const line of printed) expect(ran.stderr).toContain(`${line}\n`);
  const plain = await scene.run("run", fixture("noisy"), "--store", "plain.db");
  for (const line of printed) expect(plain.stdout).toContain(`${line}\n`);
});

test("for people the same is text, without a colour or an escape sequence", async () => {
  await using scene = new Scene();
  const ran = await scene.run("run", fixture("bad"));
  expect(ran.code).toBe(1);
  expect(ran.stdout).toMatch(
    /^failed: SwarmFailedError \(SWARM_FAILED\): 2 of 2 items failed\n[^]*\nFAILED {2}bad {2}\S+ in \S+\n$/,
  );
  expect(ran.stdout).toContain("  at bad › pair \\u202e\n");
  expect(ran.stdout).toContain("  caused by Error: no \\x1b[2J luck\n");
  expect(ran.stdout).toContain("  caused by TypeError: \\u202edeep\n");
  expect(ran.stdout).toMatch(/no \\x1b\[2J luck\n {4}thrown at \S+fixtures\/flows\.ts:12:9\n/);
  const id = / bad {2}(\S+)/.exec(ran.stdout)![1]!;
  expect(ran.stderr).toMatch(/\nmageflow: fail \S+\.0\.1 failed in attempt 1: Error: no \\x1b\[2J luck\n/);
  const quiet = await scene.run("run", fixture("bad"), "--quiet", "--store", "quiet.db");
  expect(quiet.stderr).toMatch(/^mageflow: running "bad" as \S+\n$/);
  const chatty = await scene.run("run", fixture("good"), "--logs", "--store", "quiet.db");
  expect(
    chatty.stderr.match(/ info {2}\S+\.0\.\d doubling\\nforged \\x1b\[31mline {"n":\d}\n/g),
  ).toHaveLength(2);
  const texts = [
    ran.stderr,
    (await scene.run("ps")).stdout,
    (await scene.run("show", id)).stdout,
    (await scene.run("logs", id, "--inside")).stdout,
    (await scene.run("show", id, "--json")).stdout,
  ];
  const [, ps, shown, logs] = texts;
  expect(ps).toMatch(
    /^ID +NAME +KIND +STATUS +PROGRESS +AGE +DURATION +TAGS\n\S+ +bad +chain +FAILED +2\/2 \(1 failed\)/,
  );
  expect(ps).toContain("No live workers.");
  expect(shown).toContain(`├─ ${id}.0  pair \\u202e  FAILED`);
  expect(shown).toContain(`├─ ${id}.1  double  SKIPPED`);
  expect(shown).toContain(`└─ ${id}.error0  double  SUCCEEDED`);
  expect(shown).not.toMatch(/^ +at .*flows\.ts/m);
  expect((await scene.run("show", id, "--verbose")).stdout).toMatch(/^ +at .*flows\.ts:12:9\)?$/m);
  expect(logs).toMatch(/^\S+ \S+Z info {2}\S+\.error0 doubling\\nforged \\x1b\[31mline {"n":3}\n$/);
  for (const text of texts)
    for (const active of ["\u001b", "\u009b", "\u202e"]) expect(text).not.toContain(active);
});

test("show and ps narrow down what is inside", async () => {
  await using scene = new Scene();
  const { value: run } = await scene.json<Outcome>("run", fixture("bad"));
  const { value: failed } = await scene.json<{ children: { items: { id: string }[] } }>(
    "show",
    run.id,
    "--status",
    "failed",
  );
  expect(failed.children.items.map(({ id }) => id)).toEqual([`${run.id}.0`]);
  const { value: inside } = await scene.json<Listing>("ps", "--in", `${run.id}.0`, "--status", "FAILED");
  expect(inside.items.map(({ id }) => id).toSorted()).toEqual([`${run.id}.0.0`, `${run.id}.0.1`]);
  const all = await scene.json<Listing>("ps", "--in", run.id);
  expect(all.value.items).toHaveLength(5);
  const good = await scene.json<Outcome>("run", fixture("good"));
  const shown = await scene.run("show", `${good.value.id}.0.1`);
  expect(shown.stdout).toContain("\nresult: 4\n");
  const lost = await scene.run("show", run.id, "--cursor", "zzz");
  expect(lost).toMatchObject({ code: 2, stdout: "" });
  expect(lost.stderr).toContain('"zzz" is not a cursor');
});

test("a message comes from the module or from the command line; a key gives the run that exists", async () => {
  await using scene = new Scene();
  const first = await scene.json<Outcome>("run", fixture("bundle"), "--key", "k");
  expect(first.value).toMatchObject({ status: "SUCCEEDED", result: 42 });
  const again = await scene.json<Outcome>("run", fixture("bundle"), "--key", "k");
  expect(again.value).toMatchObject({ id: first.value.id, result: 42 });
  const changed = await scene.run("run", fixture("bundle"), "--key", "k", "--message", '{"n":5}', "--json");
  expect(changed.code).toBe(5);
  expect(JSON.parse(changed.stderr)).toMatchObject({ error: { code: "IDEMPOTENCY_CONFLICT" } });
  const { stderr } = await scene.run("run", fixture("bundle"), "--key", "k", "--quiet");
  expect(stderr).toContain(`mageflow: "k" is already double ${first.value.id}, nothing new is started\n`);
  const renamed = await scene.run("run", fixture("good"), "--key", "k", "--no-worker");
  expect(renamed.code).toBe(5);
  expect(renamed.stderr).toContain(
    `mageflow: the key "k" stands for "${first.value.id}", which was asked for`,
  );
  const other = await scene.json<Outcome>("run", fixture("bundle"), "--message", '{"n":5}');
  expect(other.value.result).toBe(10);
  const nothing = await scene.json<Outcome>("run", fixture("bundle"), "--message", "null");
  expect(nothing.value).toMatchObject({
    status: "FAILED",
    error: { message: expect.stringContaining("null") },
  });
});

test("submitted only, it waits for a worker; suspend and resume are idempotent", async () => {
  await using scene = new Scene();
  const message = JSON.stringify({ file: scene.path("gate") });
  const { value: run } = await scene.json<{ id: string; status: string }>(
    "run",
    fixture("gated"),
    "--no-worker",
    "--message",
    message,
  );
  expect(run.status).toBe("RUNNING");
  expect((await scene.json<Listing>("ps")).value.unhandled).toEqual([{ task: "gate", ready: 1 }]);
  expect((await scene.run("ps")).stdout).toContain("no handler: 1 × gate\n");

  for (let again = 0; again < 2; again++) {
    const { code, value } = await scene.json("suspend", run.id);
    expect([code, value]).toEqual([
      0,
      {
        id: run.id,
        name: "gated",
        status: "SUSPENDED",
        execution: "SUSPENDED",
        generation: 1,
        heldBy: null,
        deletion: null,
        interrupted: null,
      },
    ]);
  }
  for (let again = 0; again < 2; again++) {
    expect((await scene.json<Outcome>("resume", run.id)).value.status).toBe("RUNNING");
  }

  const worker = scene.start(
    "worker",
    fixture("gated"),
    "--tasks",
    "gate,double",
    "--concurrency",
    "3",
    "--json",
  );
  const ready = JSON.parse(await worker.printed(/.*\n/)) as unknown;
  expect(ready).toMatchObject({ ready: true, concurrency: 3, tasks: ["gate", "double"] });
  const follow = scene.start("logs", run.id, "--inside", "--follow");
  await follow.printed(/waiting\n/);
  expect((await scene.json<Listing>("ps")).value.workers).toHaveLength(1);

  const refused = await scene.run("suspend", `${run.id}.0`, "--json");
  expect(refused.code).toBe(5);
  expect(refused.stdout).toBe("");
  expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: "ALREADY_RUNNING" } });

  writeFileSync(scene.path("gate"), "");
  const followed = await follow.ended;
  expect(followed.code).toBe(0);
  expect(followed.stdout).toContain("doubling");
  worker.kill("SIGTERM");
  expect(await worker.ended).toMatchObject({ code: 0 });
  expect((await scene.json("verify")).code).toBe(0);
});

test("a worker that is told twice ends at once; run stops with 130 and leaves the rest to others", async () => {
  await using scene = new Scene();
  const message = JSON.stringify({ file: scene.path("gate") });
  const run = scene.start("run", fixture("gated"), "--message", message);
  const id = (await run.printed(/as \S+/, "stderr")).slice(3);
  const follow = scene.start("logs", id, "--inside", "--follow");
  await follow.printed(/waiting\n/);
  run.kill("SIGINT");
  await run.printed(/finishing what runs, for at most 10s; again to stop at once/, "stderr");
  run.kill("SIGINT");
  const stopped = await run.ended;
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toMatch(
    /stopped at once; its tasks are taken over in 15s; \S+ goes on when a worker runs: npx mageflow worker \S+gated\.ts\n$/,
  );
  follow.kill("SIGINT");
  expect((await follow.ended).code).toBe(0);
  expect((await scene.json<Listing>("ps")).value.items).toMatchObject([{ id, status: "RUNNING" }]);
});

test("resume-report tells what a worker found at its start", async () => {
  await using scene = new Scene();
  const message = JSON.stringify({ file: scene.path("gate") });
  const { value: run } = await scene.json<Outcome>(
    "run",
    fixture("gated"),
    "--no-worker",
    "--message",
    message,
  );
  expect((await scene.run("resume-report")).stdout).toBe(
    "Nothing to report: no process has found unfinished work, or lost a worker.\n",
  );
  const worker = scene.start("worker", fixture("gated"), "--json");
  await worker.printed(/.*\n/);
  const reports = async (): Promise<unknown[]> =>
    (await scene.json<{ reports: unknown[] }>("resume-report", "--limit", "1")).value.reports;
  let told = await reports();
  while (told.length === 0) told = await reports();
  expect(told).toMatchObject([
    { reason: "start", seen: 1, started: 1, more: false, entries: [{ id: run.id, what: "started" }] },
  ]);
  const { code, stdout } = await scene.run("resume-report");
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^\d{4}-\S+ \S+Z {2}start \(s-\w+\)\n1 seen: 1 started\nID +NAME +WHAT +WHY\n\w+ +gated +started +it goes on\n$/,
  );
  worker.kill("SIGKILL");
});

test("run and worker say what waits for something that they cannot give", async () => {
  await using scene = new Scene();
  const open = scene.start("run", fixture("open"), "--json");
  const told = JSON.parse(await open.printed(/.*\n/, "stderr")) as unknown;
  expect(told).toEqual({
    warning: expect.stringMatching(
      /^swarm "inbox" is open and everything in it has ended; it waits for items, or for `\(await mage\.get\("\w+\.0"\)\)\.close\(\)`$/,
    ),
  });
  open.kill("SIGINT");
  expect((await open.ended).code).toBe(130);

  const { value: run } = await scene.json<Outcome>("run", fixture("strange"), "--no-worker");
  expect(run.status).toBe("READY");
  const worker = scene.start("worker", fixture("good"), "--lease", "2s");
  await worker.printed(
    /^mageflow: no worker runs "stranger": 1 waiting; register it on the exported `mage`, or start a worker that has it\n/,
    "stderr",
  );
  const { value: bad } = await scene.json<Outcome>("run", fixture("bad"), "--no-worker");
  await worker.printed(new RegExp(`fail ${bad.id}\\.0\\.1 failed in attempt 1: Error: no`), "stderr");
  worker.kill("SIGTERM");
  expect((await worker.ended).code).toBe(0);
});

test("verify ends with 3 and names what is broken", async () => {
  await using scene = new Scene();
  const { value: run } = await scene.json<Outcome>("run", fixture("good"), "--store", "damaged.db");
  const database = new DatabaseSync(scene.path("damaged.db"));
  database.prepare("DELETE FROM signatures WHERE id = ?").run(`${run.id}.0.1`);
  database.close();
  const { code, value } = await scene.json("verify", "--store", "damaged.db");
  expect(code).toBe(3);
  expect(value).toMatchObject({ ok: false, audited: { signatures: 3 } });
  const told = await scene.run("verify", "--store", "damaged.db", "--limit", "1");
  expect(told.code).toBe(3);
  expect(told.stdout).toMatch(
    /^breach {3}I5 {6}\S+\.0 {2}its counter "succeeded" is 2, but a recount gives 1\n/,
  );
  expect(told.stdout).toMatch(
    /\n… and \d more: npx mageflow verify --store damaged\.db --limit \d\n\d breaches: 3 signatures of 1 workflow and \d+ events read\n$/,
  );
});
