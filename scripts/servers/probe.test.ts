import { once } from "node:events";
import { createServer as createWebServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { BACKENDS } from "./backends.ts";
import { freePort } from "./free-port.ts";
import { locate } from "./locate.ts";

let listener: Server | null = null;

afterEach(() => {
  vi.unstubAllEnvs();
  listener?.close();
  listener = null;
});

async function portOf(server: Server): Promise<number> {
  listener = server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function at(usual: string, port: number): URL {
  const url = new URL(usual);
  url.port = String(port);
  return url;
}

/** For servers that never answer (ms). */
const SHORT = 300;

/** Servers of something else, by what they do with whom they do not understand. */
const OTHERS: Readonly<Record<string, () => Server>> = {
  "answers in HTTP": () => createWebServer(),
  "greets first": () =>
    createServer((socket) => socket.on("error", () => {}).write("220 mail.example ESMTP\r\n")),
  "hangs up": () => createServer((socket) => socket.on("error", () => {}).end()),
  "sends what has no end": () =>
    createServer((socket) => socket.on("error", () => {}).write(Buffer.alloc(1 << 20, "-A a"))),
};

for (const { title, usual, probe } of BACKENDS) {
  test(`${title}: nothing listens`, async () => {
    const port = await freePort();
    expect(await probe(at(usual, port))).toEqual({
      is: "absent",
      why: `nothing listens on 127.0.0.1:${port} (ECONNREFUSED)`,
    });
  });

  test.for(Object.entries(OTHERS))(`${title}: what listens %s`, async ([, make]) => {
    const port = await portOf(make());
    expect(await probe(at(usual, port), SHORT)).toEqual({
      is: "absent",
      why: expect.stringMatching(
        RegExp(`^what listens on 127.0.0.1:${port} (is not|does not answer like) ${title}$`),
      ),
    });
  });

  test(`${title}: what listens says nothing`, async () => {
    const port = await portOf(createServer((socket) => socket.on("error", () => {}).resume()));
    expect(await probe(at(usual, port), SHORT)).toEqual({
      is: "absent",
      why: `what listens on 127.0.0.1:${port} does not answer like ${title}`,
    });
  });
}

for (const backend of BACKENDS) {
  test(`${backend.title}: something else on the usual port is no server, and no error`, async () => {
    vi.stubEnv(backend.variable, undefined);
    const port = await portOf(OTHERS["hangs up"]!());
    const place = await locate({ ...backend, usual: at(backend.usual, port).href });
    expect(place).toEqual({ is: "missing", why: expect.stringContaining(`127.0.0.1:${port} is not`) });
  });

  test(`${backend.title}: something else where the variable says is an error`, async () => {
    vi.stubEnv(backend.variable, at(backend.usual, await portOf(OTHERS["hangs up"]!())).href);
    await expect(locate(backend)).rejects.toThrow(`${backend.variable} names no server that could be used`);
  });

  test(`${backend.title}: a variable that is no URL is an error`, async () => {
    vi.stubEnv(backend.variable, "127.0.0.1");
    await expect(locate(backend)).rejects.toThrow("it is no URL");
  });

  test(`${backend.title}: an empty variable does without, whatever listens`, async () => {
    vi.stubEnv(backend.variable, "");
    expect(await locate(backend)).toEqual({ is: "declined", why: `${backend.variable} is empty` });
  });
}
