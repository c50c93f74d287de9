import type { Ticket } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";
import { rows } from "./literals.ts";

const PUT = "INSERT INTO mageflow_tickets (token, body, expires_at) VALUES $1";

const GET = "SELECT body, expires_at FROM mageflow_tickets WHERE token = $1 AND expires_at > $2";

const EXPIRE = "DELETE FROM mageflow_tickets WHERE expires_at <= $1";

/** What somebody may come back with until it expires. */
export class TicketTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** New ones take the place of what has expired. */
  put(tickets: readonly Ticket[], now: number): Promise<unknown>[] {
    if (tickets.length === 0) return [];
    const all = rows(tickets.map(({ token, body, expiresAt }) => [token, body, expiresAt]));
    return [this.#db.later(EXPIRE, now), ...all.map((some) => this.#db.later(PUT, some))];
  }

  async get(token: string, now: number): Promise<Ticket | null> {
    const row = await this.#db.get<[body: string, expiresAt: number]>(GET, token, now);
    return row === undefined ? null : { token, body: row[0], expiresAt: row[1] };
  }
}
