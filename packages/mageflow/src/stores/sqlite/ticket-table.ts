import type { Ticket } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";

const PUT = "INSERT OR ROLLBACK INTO tickets (token, body, expires_at) VALUES (?, ?, ?)";

const GET = "SELECT body, expires_at FROM tickets WHERE token = ? AND expires_at > ?";

const EXPIRE = "DELETE FROM tickets WHERE expires_at <= ?";

/** What somebody may come back with until it expires. */
export class TicketTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** New ones take the place of what has expired. */
  put(tickets: readonly Ticket[], now: number): void {
    if (tickets.length === 0) return;
    this.#db.run(EXPIRE, now);
    for (const { token, body, expiresAt } of tickets) this.#db.run(PUT, token, body, expiresAt);
  }

  get(token: string, now: number): Ticket | null {
    const row = this.#db.get<[body: string, expiresAt: number]>(GET, token, now);
    return row === undefined ? null : { token, body: row[0], expiresAt: row[1] };
  }
}
