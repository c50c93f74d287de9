import { Socket } from "node:net";
import type { Client, Notification } from "pg";
import { StoreError } from "../../core/errors.ts";
import { ConnectionLost, NOT_LET_IN, storeError } from "../server-failures.ts";
import { isAborted } from "./failures.ts";
import type { Location } from "./location.ts";

/** What a statement is given for its parameters; a Buffer is in the binary format of the parameter's type. */
export type Parameter = string | number | boolean | null | Buffer;

/** A server that does not answer for so long is taken for lost (ms). Longer than what a statement may take. */
const SILENCE_MS = 45_000;
const CONNECT_MS = 10_000;

/** Bytes of statements that wait for those behind them. */
const HELD_BACK = 16_384;

/**
 * The settings of every connection. Each statement here reads a stretch of an index that its limit bounds, so the planner is kept
 * from anything else, whatever it believes about a table that has just been filled. A process that stands still lets go of its locks
 * before those who wait for them give up, also when the next one in line has gone as well, which the server does not know as long as
 * its connection is half-open. Commits are durable whatever the role's default is.
 */
const settings = (schema: string): string => `
  SET search_path TO ${schema};
  SET statement_timeout TO '30s';
  SET lock_timeout TO '7s';
  SET idle_in_transaction_session_timeout TO '2s';
  SET enable_seqscan TO off;
  SET enable_bitmapscan TO off;
  SET enable_hashjoin TO off;
  SET enable_mergejoin TO off;
  SET jit TO off;
  SET plan_cache_mode TO force_generic_plan;
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
`;

const NUMBERS = new Set([20, 21, 23]);
const BOOLEAN = 16;

/** Numbers and booleans as such, everything else as the text that the server sends: for this client only. */
const types = {
  getTypeParser: (oid: number) =>
    NUMBERS.has(oid) ? Number : oid === BOOLEAN ? (text: string) => text === "t" : (text: string) => text,
};

/** A client that may or may not hold on to the process; its types leave that out. */
type HeldClient = Client & { readonly processID: number | null; ref(): void; unref(): void };

/** Names of prepared statements, the same on all connections. */
const names = new Map<string, string>();

/**
 * A connection on which statements are sent without waiting for the answers to those before them; the server does one after the
 * other. Rows are arrays in the order of the selected columns. It keeps the process alive only while an answer is awaited.
 */
export class Connection {
  readonly #client: HeldClient;
  readonly #socket: Socket;
  #isHeldBack = false;
  /** Answers that are awaited. */
  #pending = 0;
  #lost = false;
  /** What the server has refused last: statements that were sent behind it are told only that there was something. */
  #fault: Error | null = null;

  private constructor(client: HeldClient, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
  }

  /** Throws what the server says, {@link ConnectionLost}, or StoreError `STORE_UNAVAILABLE` when there is no driver, or no password. */
  static async open({ url, schema, name }: Location): Promise<Connection> {
    const { Client } = await driver();
    const socket = new Socket();
    const client = new Client({
      connectionString: url,
      fallback_application_name: "mageflow",
      stream: () => socket,
      pipeline: true,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: SILENCE_MS,
      types,
    }) as HeldClient;
    const connection = new Connection(client, socket);
    client.on("error", () => (connection.#lost = true));
    client.on("end", () => (connection.#lost = true));
    try {
      await connection.#awaited(() => client.connect());
      await connection.exec(settings(schema));
    } catch (error) {
      connection.destroy();
      throw isPasswordMissing(error) ? storeError(NOT_LET_IN, error, name) : error;
    }
    return connection;
  }

  /** True when it can be used no more. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Runs statements without parameters, one after the other, and returns the tag of the last: `COMMIT`, `ROLLBACK`… */
  async exec(sql: string): Promise<string> {
    const answer: unknown = await this.#awaited(() => this.#sent(() => this.#client.query(sql)));
    const results = (Array.isArray(answer) ? answer : [answer]) as { command: string }[];
    return results.at(-1)!.command;
  }

  /** Runs a statement that the server prepares once. */
  async all<Row>(sql: string, ...parameters: Parameter[]): Promise<Row[]> {
    let name = names.get(sql);
    if (name === undefined) names.set(sql, (name = `mageflow ${names.size}`));
    return this.#rows<Row>(sql, parameters, name);
  }

  async get<Row>(sql: string, ...parameters: Parameter[]): Promise<Row | undefined> {
    return (await this.all<Row>(sql, ...parameters))[0];
  }

  /** Runs a statement that was put together for this call. */
  async once<Row>(sql: string, parameters: readonly Parameter[]): Promise<Row[]> {
    return this.#rows<Row>(sql, parameters);
  }

  /** The number of the server's process at the other end. */
  get backend(): number | null {
    return this.#client.processID;
  }

  /** Calls `hear` for each `NOTIFY`, with the backend that it comes from. */
  onNotification(hear: (backend: number) => void): void {
    this.#client.on("notification", ({ processId }: Notification) => hear(processId));
  }

  /** Lets go of the server in good manners, unless it owes an answer: it may not be there any more to give one. */
  async close(): Promise<void> {
    if (this.#pending > 0) return this.destroy();
    this.#lost = true;
    // For ever: its goodbye is awaited.
    this.#pending++;
    this.#client.ref();
    await this.#client.end().catch(() => {});
  }

  /** Lets go of the server at once; whatever it was doing on this connection is undone. */
  destroy(): void {
    this.#lost = true;
    this.#socket.destroy();
  }

  async #rows<Row>(text: string, values: readonly Parameter[], name?: string): Promise<Row[]> {
    const query = {
      text,
      values: [...values],
      rowMode: "array" as const,
      ...(name === undefined ? {} : { name }),
    };
    const { rows } = await this.#awaited(() => this.#sent(() => this.#client.query(query)));
    return rows as Row[];
  }

  /** Statements that are given in one turn of the event loop travel together, unless they are large: then the server begins with them. */
  #sent<T>(send: () => Promise<T>): Promise<T> {
    if (!this.#isHeldBack) {
      this.#isHeldBack = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#isHeldBack = false;
        this.#socket.uncork();
      });
    }
    const answer = send();
    if (this.#socket.writableLength > HELD_BACK) {
      this.#socket.uncork();
      this.#socket.cork();
    }
    return answer;
  }

  async #awaited<T>(send: () => Promise<T>): Promise<T> {
    if (this.#pending++ === 0) this.#client.ref();
    try {
      return await send();
    } catch (error) {
      if (error instanceof Error && "severity" in error) {
        if (!isAborted(error)) this.#fault = error;
        throw isAborted(error) ? (this.#fault ?? error) : error;
      }
      // No word of the server: the driver has none to talk to.
      this.destroy();
      throw new ConnectionLost((error as Error).message, { cause: error });
    } finally {
      if (--this.#pending === 0) this.#client.unref();
    }
  }
}

/** The driver finds out by itself that it has none to give, in the middle of the server's question. */
function isPasswordMissing(error: unknown): error is Error {
  return error instanceof ConnectionLost && error.message.includes("client password must be");
}

async function driver(): Promise<Pick<typeof import("pg"), "Client">> {
  try {
    return await import("pg");
  } catch (cause) {
    throw new StoreError(
      "STORE_UNAVAILABLE",
      'the driver of PostgreSQL is not installed; run "npm install pg"',
      {
        cause,
      },
    );
  }
}
