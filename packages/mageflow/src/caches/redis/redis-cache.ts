import { createHash, randomUUID } from "node:crypto";
import type {
  Cache,
  CacheEntry,
  CacheUsage,
  Copy,
  Ending,
  Filling,
  Leaving,
  Look,
  Sighting,
} from "../../ports/cache.ts";
import { connect, type Connection } from "./connection.ts";
import type { Location } from "./location.ts";
import { BEGIN, END, FILL, FORGET, KEEP, LOOK, READ } from "./scripts.ts";

/** Longer than anything is kept: a generation of keys that was forgotten may be named again after it. */
const GENERATION_MS = 300_000;
const COUNTED_SECONDS = 3_600;
const SCAN = 500;

interface Script {
  readonly text: string;
  readonly sha: string;
}

const scripts = [READ, FILL, BEGIN, END, LOOK, KEEP, FORGET].map((text): Script => ({
  text,
  sha: createHash("sha1").update(text).digest("hex"),
}));
const [read, fill, begin, end, look, keep, forget] = scripts as [
  Script,
  Script,
  Script,
  Script,
  Script,
  Script,
  Script,
];

/** A cache in a Redis server (6.2 or newer), which needs no settings of its own and may be shared with others. */
export class RedisCache implements Cache {
  readonly name: string;
  readonly #location: Location;
  /** By this others tell what this process rings from what they ring. */
  readonly #self = randomUUID();
  #line: Connection | null = null;
  #ears: Connection | null = null;
  #prefix = "";

  constructor(location: Location) {
    this.#location = location;
    this.name = location.name;
  }

  async open(namespace: string): Promise<void> {
    this.#line?.client.disconnect();
    this.#line = null;
    this.#prefix = `${this.#location.prefix}:{${namespace}}:`;
    const line = await connect(this.#location.url);
    // Told again one by one, they would come behind what is sent after them.
    await line.awaited((client) => Promise.all(scripts.map(({ text }) => client.script("LOAD", text))));
    this.#line = line;
  }

  async close(): Promise<void> {
    this.#ears?.client.disconnect();
    this.#line?.client.disconnect();
    this.#ears = this.#line = null;
  }

  async read(ids: readonly string[], reader: string, lease: number): Promise<Sighting> {
    const [now, ...found] = (await this.#run(read, [reader, lease, ...ids])) as string[];
    const copies = new Map<string, Copy>();
    const kept: string[] = [];
    for (const [i, value] of found.entries()) {
      if (value === "r") kept.push(ids[i]!);
      const copy = parted(value);
      if (copy !== null) copies.set(ids[i]!, copy);
    }
    return { now: Number(now), copies, kept };
  }

  async fill(reader: string, copies: readonly Filling[]): Promise<void> {
    await this.#run(fill, [reader, ...copies.flatMap(filling)]);
  }

  async begin(writer: string, { ids, lease, gone, goneFor }: Leaving): Promise<string[]> {
    return (await this.#run(begin, [writer, lease, goneFor, list(ids), list(gone)])) as string[];
  }

  async end(writer: string, { copies, without, back, ring }: Ending): Promise<void> {
    const rings = ring ? this.#self : "";
    await this.#run(end, [writer, rings, list(back), list(without), ...copies.flatMap(filling)]);
  }

  async look(key: string, rootId: string | null): Promise<{ now: number; look: Look | null }> {
    const [now, found] = (await this.#run(look, [digest(key), rootId ?? ""])) as [string, string | null];
    const parts = found === null ? null : parted(found);
    return { now: Number(now), look: parts === null ? null : { since: parts.at, text: parts.text } };
  }

  async keep(key: string, { since, text }: Look, life: number): Promise<void> {
    await this.#run(keep, [digest(key), since, text, life]);
  }

  /** On a connection of its own, as Redis has it. */
  async listen(listener: () => void, onDeaf: () => void): Promise<() => Promise<void>> {
    this.#ears?.client.disconnect();
    const ears = await connect(this.#location.url);
    this.#ears = ears;
    ears.client.on("message", (_channel: string, by: string) => {
      if (by !== this.#self) listener();
    });
    await ears.awaited((client) => client.subscribe(`${this.#prefix}bell`));
    ears.client.on("close", onDeaf);
    return async () => ears.client.disconnect();
  }

  async forget(): Promise<void> {
    await this.#run(forget, [randomUUID(), GENERATION_MS]);
  }

  async count(numbers: Readonly<Record<string, number>>): Promise<void> {
    const key = `${this.#prefix}counted`;
    const answers = await this.#connection().awaited((client) => {
      const adding = client.pipeline();
      for (const [name, number] of Object.entries(numbers)) adding.hincrby(key, name, Math.round(number));
      return adding.expire(key, COUNTED_SECONDS).exec();
    });
    for (const [error] of answers ?? []) if (error !== null) throw error;
  }

  async usage(): Promise<CacheUsage> {
    const [counted, memory] = await this.#connection().awaited((client) =>
      Promise.all([client.hgetall(`${this.#prefix}counted`), client.info("memory")]),
    );
    const fact = (name: string): string | null =>
      new RegExp(`^${name}:(.*)$`, "m").exec(memory)?.[1]?.trim() ?? null;
    const max = Number(fact("maxmemory"));
    return {
      counted: Object.fromEntries(Object.entries(counted).map(([name, n]) => [name, Number(n)])),
      usedBytes: Number(fact("used_memory")),
      maxBytes: max === 0 ? null : max,
      whenFull: fact("maxmemory_policy"),
    };
  }

  async *entries(): AsyncGenerator<CacheEntry[]> {
    const line = this.#connection();
    const generation = (await line.awaited((client) => client.get(`${this.#prefix}gen`))) ?? "0";
    const keys = `${this.#prefix}${generation}:`;
    const pattern = `${escaped(keys)}*`;
    for (let cursor = "0"; ;) {
      const from = cursor;
      const [next, found] = await line.awaited((client) =>
        client.scan(from, "MATCH", pattern, "COUNT", SCAN),
      );
      const values = found.length === 0 ? [] : await line.awaited((client) => client.mget(found));
      yield found.flatMap((key, i) => entry(key.slice(keys.length), values[i] ?? null) ?? []);
      if (next === "0") return;
      cursor = next;
    }
  }

  async #run({ text, sha }: Script, given: readonly (string | number)[]): Promise<unknown> {
    const line = this.#connection();
    try {
      return await line.awaited((client) => client.evalsha(sha, 1, this.#prefix, ...given));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      // A server that has forgotten its scripts.
      if (!error.message.startsWith("NOSCRIPT"))
        throw new Error(error.message.split(" script: ")[0], { cause: error });
      return line.awaited((client) => client.eval(text, 1, this.#prefix, ...given));
    }
  }

  #connection(): Connection {
    if (this.#line?.client.status === "ready") return this.#line;
    throw new Error("the connection to it was lost");
  }
}

function filling({ id, text, life }: Filling): [string, string, number] {
  return [id, text ?? "", life];
}

/** Ids as one argument, which is far less work than an argument each. What is no Unicode is sent as what the driver makes of it. */
function list(ids: readonly string[]): string {
  const text = JSON.stringify(ids);
  return text.includes("\\ud") ? JSON.stringify(ids.map((id) => id.toWellFormed())) : text;
}

/** `=instant text`, or null for what is nothing of that. */
function parted(value: string): Copy | null {
  const space = value.indexOf(" ");
  const at = Number(value.slice(1, space));
  return value.startsWith("=") && space > 1 && Number.isSafeInteger(at)
    ? { at, text: value.slice(space + 1) }
    : null;
}

function entry(key: string, value: string | null): CacheEntry | null {
  if (value === null) return null;
  const id = key.slice(2);
  const bytes = Buffer.byteLength(key) + Buffer.byteLength(value);
  if (key.startsWith("l:")) return { kind: "look", id, bytes, copy: null };
  if (!key.startsWith("r:")) return null;
  // What is neither a copy nor kept for anybody was put there by somebody else.
  if (/^[rwW]/.test(value)) return { kind: "place", id, bytes, copy: null };
  return { kind: "copy", id, bytes, copy: parted(value) ?? { at: 0, text: value } };
}

/** Short, whatever is asked for. */
function digest(key: string): string {
  return createHash("sha1").update(key).digest("base64url");
}

function escaped(pattern: string): string {
  return pattern.replace(/[\\*?[\]]/g, "\\$&");
}
