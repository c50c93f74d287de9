import type { ConnectionOptions } from "mysql2";
import { StoreError } from "../../core/errors.ts";
import { ConnectionLost } from "../server-failures.ts";
import { isServerError } from "./failures.ts";
import { fill, type Parameter } from "./literals.ts";
import type { Location } from "./location.ts";

/** A server that does not answer for so long is taken for lost (ms). Longer than what a statement may take. */
const SILENCE_MS = 45_000;
const CONNECT_MS = 10_000;

/** The least that a server must take in one message, in bytes: a record with its payloads fits into it. */
export const LEAST_PACKET = 16_777_216;

/** Of what a server takes at once, in characters, so that even the longest ones fit. */
const FILLING = 1 / 4;

/**
 * The settings of every session. What stands in a comment for one server is passed over by the other. A list of a thousand ids is to be
 * looked up id by id, which MariaDB would take for a table to be joined.
 */
const SETTINGS = `SET SESSION
  sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',
  time_zone = '+00:00',
  autocommit = 1,
  innodb_lock_wait_timeout = 7
  /*!80000 , max_execution_time = 30000 */
  /*M! , max_statement_time = 30, in_predicate_conversion_threshold = 0 */`;

const ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

const ABOUT = `SELECT CONNECTION_ID(), @@max_allowed_packet,
  (SELECT host FROM information_schema.processlist WHERE id = CONNECTION_ID())`;

/** What a statement is answered that gives no rows. */
interface Done {
  readonly affectedRows: number;
}

/** What is used of the driver's connection. */
interface Client {
  connect(done: (error: Error | null) => void): void;
  query(
    options: { sql: string; rowsAsArray: true; timeout: number },
    done: (error: Error | null, results: unknown) => void,
  ): unknown;
  end(done: () => void): void;
  destroy(): void;
  on(event: "error" | "end", listener: () => void): unknown;
  readonly stream: { ref(): unknown; unref(): unknown; destroy(): unknown };
}

interface Statement {
  readonly sql: string;
  /** Sent in a message of its own. */
  readonly isAlone: boolean;
  /** Asked for in a transaction, of which nothing is to be done without the rest. */
  readonly isHeld: boolean;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A connection on which statements are sent without waiting for the answers to those before them: all that are asked for while it is
 * idle, or while one message is under way, go in the next message, and the server does one after the other. When it refuses one, those
 * behind it are not done: in a transaction nothing is from then on, elsewhere each is sent again by itself. Rows are arrays in the order of
 * the selected columns. It keeps the process alive only while an answer is awaited.
 */
export class Connection {
  readonly #client: Client;
  /** The server's number of this session, and its other end as the server sees it. */
  session: { readonly id: number; readonly host: string | null } = { id: 0, host: null };
  /** Characters that one message may have. */
  #room: number = LEAST_PACKET * FILLING;
  /** Bytes that the server takes in one message. */
  packet: number = LEAST_PACKET;
  #queue: Statement[] = [];
  #isSending = false;
  #lost = false;
  #isHeld = false;
  /** What was refused in a transaction; everything behind it fails alike. */
  #fault: Error | null = null;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** Throws what the server says, {@link ConnectionLost}, or StoreError `STORE_UNAVAILABLE` when there is no driver. */
  static async open({ host, port, user, password, database, tls }: Location): Promise<Connection> {
    const { createConnection } = await driver();
    const options: ConnectionOptions = {
      host,
      port,
      user,
      password,
      database,
      ...(tls ? { ssl: {} } : {}),
      charset: "utf8mb4_bin",
      multipleStatements: true,
      connectTimeout: CONNECT_MS,
      enableKeepAlive: true,
    };
    const client = createConnection(options) as unknown as Client;
    const connection = new Connection(client);
    client.on("error", () => (connection.#lost = true));
    client.on("end", () => (connection.#lost = true));
    try {
      await new Promise<void>((resolve, reject) =>
        client.connect((error) => (error === null ? resolve() : reject(asFailure(error)))),
      );
      await connection.#begin();
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return connection;
  }

  /** True when it can be used no more. */
  get lost(): boolean {
    return this.#lost;
  }

  /** The rows that a statement gives. */
  async all<Row>(template: string, ...parameters: Parameter[]): Promise<Row[]> {
    return (await this.#ask(fill(template, parameters))) as Row[];
  }

  async get<Row>(template: string, ...parameters: Parameter[]): Promise<Row | undefined> {
    return (await this.all<Row>(template, ...parameters))[0];
  }

  /** How many rows a statement has found to change, or made. */
  async run(template: string, ...parameters: Parameter[]): Promise<number> {
    return ((await this.#ask(fill(template, parameters))) as Done).affectedRows;
  }

  /** Makes a change some time before the next statement, with which it is sent. */
  async later(template: string, ...parameters: Parameter[]): Promise<void> {
    await new Promise((resolve, reject) => {
      if (this.#fault !== null) return reject(this.#fault);
      const sql = fill(template, parameters);
      this.#queue.push({ sql, isAlone: false, isHeld: this.#isHeld, resolve, reject });
    });
  }

  /** What comes is one transaction, until it is let go of: nothing is done behind a statement that was refused. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Takes statements again, after one was refused; what has not been sent is not. */
  release(): void {
    this.#isHeld = false;
    this.#fault = null;
    for (const { reject } of this.#queue.splice(0))
      reject(new Error("the transaction has ended before it was done"));
  }

  /** Lets go of the server in good manners, unless it owes an answer: it may not be there any more to give one. */
  async close(): Promise<void> {
    if (this.#lost) return;
    if (this.#isSending) return this.destroy();
    this.#lost = true;
    this.#client.stream.ref();
    await new Promise<void>((resolve) => this.#client.end(() => resolve()));
  }

  /** Lets go of the server at once; whatever it was doing on this connection is undone. */
  destroy(): void {
    this.#lost = true;
    this.#client.destroy();
    this.#client.stream.destroy();
  }

  async #begin(): Promise<void> {
    const [, , about] = await Promise.all([
      this.run(SETTINGS),
      this.run(ISOLATION),
      this.get<[id: number, packet: number, host: string | null]>(ABOUT),
    ]);
    const [id, packet, host] = about!;
    this.session = { id, host };
    this.packet = packet;
    this.#room = packet * FILLING;
  }

  #ask(sql: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#fault !== null) return reject(this.#fault);
      this.#queue.push({ sql, isAlone: false, isHeld: this.#isHeld, resolve, reject });
      if (this.#isSending) return;
      this.#isSending = true;
      this.#client.stream.ref();
      // When everything is asked for that is asked for now.
      queueMicrotask(() => this.#send());
    });
  }

  #send(): void {
    const statements = this.#next();
    if (statements.length === 0) {
      this.#isSending = false;
      this.#client.stream.unref();
      return;
    }
    const sql = statements.length === 1 ? statements[0]!.sql : statements.map((one) => one.sql).join(";\n");
    if (sql.length > this.#room && Buffer.byteLength(sql) >= this.packet) {
      this.#fail(
        statements,
        new Error(`constraint: the server takes no more than ${this.packet} bytes at once`),
      );
      return this.#send();
    }
    this.#client.query({ sql, rowsAsArray: true, timeout: SILENCE_MS }, (error, results) => {
      if (error !== null) this.#fail(statements, asFailure(error));
      else if (statements.length === 1) statements[0]!.resolve(results);
      else for (const [n, { resolve }] of statements.entries()) resolve((results as unknown[])[n]);
      this.#send();
    });
  }

  /** As many as fit into one message, or one. */
  #next(): Statement[] {
    let count = 0;
    for (let size = 0; count < this.#queue.length; count++) {
      size += this.#queue[count]!.sql.length;
      if (count > 0 && (size > this.#room || this.#queue[count]!.isAlone || this.#queue[count - 1]!.isAlone))
        break;
    }
    return this.#queue.splice(0, count);
  }

  #fail(statements: readonly Statement[], error: Error): void {
    if (error instanceof ConnectionLost) this.destroy();
    else if (!statements.some(({ isHeld }) => isHeld)) {
      if (statements.length > 1) this.#queue.unshift(...statements.map((one) => ({ ...one, isAlone: true })));
      else statements[0]!.reject(error);
      return;
    }
    for (const { reject } of statements) reject(error);
    // What comes behind a transaction that has been let go of meanwhile has nothing to do with it.
    if (!this.#lost && !this.#isHeld) return;
    this.#fault = error;
    for (const { reject } of this.#queue.splice(0)) reject(error);
  }
}

/** What the server says, or that there is none to talk to. */
function asFailure(error: Error): Error {
  return isServerError(error) ? error : new ConnectionLost(error.message, { cause: error });
}

async function driver(): Promise<Pick<typeof import("mysql2"), "createConnection">> {
  try {
    return await import("mysql2");
  } catch (cause) {
    throw new StoreError(
      "STORE_UNAVAILABLE",
      'the driver of MySQL is not installed; run "npm install mysql2"',
      { cause },
    );
  }
}
