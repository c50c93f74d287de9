import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BACKENDS } from "./backends.ts";
import { findProgram } from "./programs.ts";
import { isAloneAsRoot } from "./server-user.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Never what is not installed: a test installs nothing. */
const INSTALLED = BACKENDS.filter(({ recipe }) => recipe.find() !== null);
const NAMES = INSTALLED.map(({ name }) => name);

const IS_ALONE = isAloneAsRoot();

/** A checkout as far as the script knows it: what it has started is written down there. */
class Checkout implements Disposable {
  readonly #folder = mkdtempDisposableSync(join(tmpdir(), "mageflow-checkout-"));
  readonly path = this.#folder.path;

  constructor() {
    for (const part of ["scripts/servers", "package.json", "compose.yaml"])
      cpSync(join(ROOT, part), join(this.path, part), { recursive: true });
  }

  get line(): [string, string] {
    return [process.execPath, join(this.path, "scripts/servers/main.ts")];
  }

  call(args: readonly string[], env: Readonly<Record<string, string>> = {}): Called {
    const [node, main] = this.line;
    const { status, stdout, stderr } = spawnSync(node, [main, ...args], {
      env: { ...bare(), ...env },
      encoding: "utf8",
    });
    return { code: status, out: stdout, err: stderr };
  }

  [Symbol.dispose](): void {
    const { code, err } = this.call(["stop"]);
    this.#folder.remove();
    if (code !== 0) throw new Error(err);
  }
}

interface Called {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The environment without what names servers. */
function bare(): NodeJS.ProcessEnv {
  const named = BACKENDS.map(({ variable }) => variable);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !named.includes(name)));
}

/** What a shell knows after it has evaluated this, by backend. */
function evaluated(script: string): Record<string, string> {
  const variables = BACKENDS.map(({ variable }) => `"$${variable}"`).join(" ");
  const { stdout } = spawnSync("bash", ["-c", `${script}\nprintf '%s\\n' ${variables}`], {
    env: bare(),
    encoding: "utf8",
  });
  const urls = stdout.split("\n");
  return Object.fromEntries(
    BACKENDS.map(({ name }, i) => [name, urls[i] ?? ""]).filter(([, url]) => url !== ""),
  );
}

async function whoAnswers(urls: Readonly<Record<string, string>>): Promise<string[]> {
  const answers = await Promise.all(
    BACKENDS.map(async ({ name, probe }) => {
      const url = urls[name];
      return url !== undefined && (await probe(new URL(url))).is === "ready" ? [name] : [];
    }),
  );
  return answers.flat();
}

let checkout: Checkout;
beforeEach(() => void (checkout = new Checkout()));
afterEach(() => checkout[Symbol.dispose]());

test("the script says how it is called", () => {
  const { status, stderr } = spawnSync(join(ROOT, "scripts/services"), ["begin"], { encoding: "utf8" });
  expect(status).toBe(2);
  expect(stderr).toContain("usage: scripts/services env");
});

describe.skipIf(NAMES.length === 0 || IS_ALONE)("with what is installed", () => {
  test("starts servers of its own, once, and ends them and no others", async () => {
    using neighbour = new Checkout();
    const theirs = evaluated(neighbour.call(["env", "--own", NAMES[0]!]).out);

    const first = checkout.call(["env", "--own", ...NAMES]);
    expect(first).toMatchObject({ code: 0, err: expect.not.stringContaining("missing") });
    const urls = evaluated(first.out);
    expect(Object.keys(urls)).toEqual(NAMES);
    for (const { name, usual } of INSTALLED) expect(new URL(urls[name]!).port).not.toBe(new URL(usual).port);
    expect(await whoAnswers(urls)).toEqual(NAMES);

    expect(checkout.call(["env", "--own", ...NAMES]).out).toBe(first.out);
    expect(checkout.call(["env", ...NAMES]).out).toBe(first.out);

    const stopped = checkout.call(["stop"]);
    expect(stopped.code).toBe(0);
    for (const url of Object.values(urls)) expect(stopped.err).toContain(`ended ${url}\n`);
    expect(await whoAnswers(urls)).toEqual([]);
    expect(await whoAnswers(theirs)).toEqual([NAMES[0]]);
    expect(checkout.call(["stop"])).toEqual({ code: 0, out: "", err: "" });
  });

  test("several calls at once start one server", async () => {
    const [node, main] = checkout.line;
    const calls = [1, 2, 3].map(async () => {
      const child = spawn(node, [main, "env", "--own", NAMES.at(-1)!], { env: bare() });
      let out = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
      await once(child, "close");
      return out;
    });
    const [first, ...others] = await Promise.all(calls);
    expect(await whoAnswers(evaluated(first!))).toEqual([NAMES.at(-1)]);
    for (const other of others) expect(other).toBe(first);
  });

  test("a command has them to itself, and its exit code is that of the call", async () => {
    const { variable, name } = INSTALLED.at(-1)!;
    const shared = checkout.call(["env", "--own", name]).out;
    checkout.call(["stop"]);
    const { code, out } = checkout.call([
      "run",
      "--own",
      name,
      "--",
      "bash",
      "-c",
      `echo "$${variable}"; exit 7`,
    ]);
    expect(code).toBe(7);
    const url = out.trim();
    expect(url).not.toBe(evaluated(shared)[name]);
    expect(await whoAnswers({ [name]: url })).toEqual([]);
  });

  test("what a killed call has left is ended by the next", async () => {
    const { variable, name } = INSTALLED.at(-1)!;
    const [node, main] = checkout.line;
    const child = spawn(node, [main, "run", "--own", name, "--", "bash", "-c", `echo "$${variable}"; cat`], {
      env: bare(),
      stdio: ["pipe", "pipe", "ignore"],
    });
    const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    // It is in use: nobody else ends it.
    checkout.call(["stop"]);
    expect(await whoAnswers({ [name]: url })).toEqual([name]);
    child.kill("SIGKILL");
    await once(child, "exit");
    checkout.call(["stop"]);
    expect(await whoAnswers({ [name]: url })).toEqual([]);
  });

  test("whom a server does not let in is told what it says", async () => {
    const urls = evaluated(checkout.call(["env", "--own", ...NAMES]).out);
    for (const { name, probe } of INSTALLED) {
      const stranger = await strangerTo(name, new URL(urls[name]!));
      expect(await probe(stranger)).toEqual({
        is: "refusing",
        why: expect.stringMatching(REFUSALS[name]!),
      });
    }
  });
});

/** What each server says to one who may not come in. */
const REFUSALS: Readonly<Record<string, RegExp>> = {
  postgres: /does not let nobody into postgres: role "nobody" does not exist$/,
  mysql: /does not let root into nowhere: Unknown database 'nowhere'$/,
  redis: /refuses to answer: NOAUTH Authentication required\.$/,
};

/** The URL of somebody who may not come in. */
async function strangerTo(name: string, url: URL): Promise<URL> {
  if (name === "postgres") url.username = "nobody";
  if (name === "mysql") url.pathname = "/nowhere";
  if (name === "redis") {
    const socket = connect(Number(url.port), url.hostname).end("CONFIG SET requirepass secret\r\n");
    await once(socket.resume(), "close");
  }
  return url;
}

test.skipIf(IS_ALONE)(
  "a server that does not come up is missing, with what it has said, and leaves nothing",
  () => {
    const bin = join(checkout.path, "bin");
    const temporary = join(checkout.path, "tmp");
    for (const folder of [bin, temporary]) mkdirSync(folder);
    // As root, the server runs as somebody else, who has to get there.
    chmodSync(checkout.path, 0o755);
    writeFileSync(join(bin, "redis-server"), "#!/bin/sh\necho 'out of order' >&2\nexit 1\n", { mode: 0o755 });
    const path = [bin, process.env["PATH"]].join(delimiter);
    const { code, out, err } = checkout.call(["env", "--own", "redis"], { PATH: path, TMPDIR: temporary });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("Redis: missing: cannot start Redis: it has ended\n  out of order\n");
    expect(readdirSync(temporary)).toEqual([]);
  },
);

test("a variable that is set stays, and what it names must answer", () => {
  const { code, out, err } = checkout.call(["env", "redis"], { MAGEFLOW_TEST_REDIS: "redis://127.0.0.1:1" });
  expect(code).toBe(1);
  expect(out).toBe("");
  expect(err).toContain(
    "missing: MAGEFLOW_TEST_REDIS names no server that could be used: nothing listens on 127.0.0.1:1",
  );
});

/** Whether it is found whatever the PATH, as where programs of root are kept with the others. */
const IS_EVERYWHERE = existsSync("/usr/sbin/redis-server") || existsSync("/usr/local/sbin/redis-server");

test.skipIf(IS_EVERYWHERE)(
  "nothing there, nothing to install it with: says what is missing, and a command runs but does not pass",
  () => {
    const nothing = { PATH: checkout.path };
    const { code, out, err } = checkout.call(["env", "--own", "redis"], nothing);
    expect(code).toBe(1);
    expect(out).toBe("");
    expect(err).toMatch(
      /Redis: missing: it is not installed; only root can install it.*redis-server.*; there is no docker compose/,
    );
    const { code: ran, out: said } = checkout.call(
      ["run", "--own", "redis", "--", process.execPath, "-p", "1 + 1"],
      nothing,
    );
    expect(said).toBe("2\n");
    expect(ran).toBe(1);
    const unknown = checkout.call(["run", "--own", "redis", "--", "no-such-command"], nothing);
    expect(unknown.code).toBe(1);
    expect(unknown.err).toMatch(/services: spawn no-such-command ENOENT\n$/);
  },
);

/** Docker cannot run in every test; this one in its place starts a real Redis, where compose is told to publish its port. */
const DOCKER = (redis: string): string => `#!/bin/bash
case "$*" in
  "compose version" | info) ;;
  "compose --file "*" up --detach redis")
    ${redis} --port "$REDIS_PORT" --bind 127.0.0.1 --save "" --daemonize yes --pidfile "$PWD/$5" >/dev/null ;;
  "compose --file "*" down --volumes") kill "$(<"$PWD/$5")" ;;
  *) exit 1 ;;
esac
`;

test.skipIf(IS_EVERYWHERE || findProgram("redis-server") === null)(
  "takes docker compose where nothing is installed",
  async () => {
    const bin = join(checkout.path, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "docker"), DOCKER(findProgram("redis-server")!), { mode: 0o755 });
    const { code, out } = checkout.call(["env", "--own", "redis"], { PATH: bin });
    expect(code).toBe(0);
    const urls = evaluated(out);
    expect(await whoAnswers(urls)).toEqual(["redis"]);
    expect(checkout.call(["env", "--own", "redis"], { PATH: bin }).out).toBe(out);
    expect(checkout.call(["stop"], { PATH: bin }).code).toBe(0);
    await expect.poll(() => whoAnswers(urls)).toEqual([]);
  },
);
