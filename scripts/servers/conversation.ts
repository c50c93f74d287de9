import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** What is found at an address by somebody who wants to work there. Each `why` is a sentence for the user. */
export type Answer =
  | { readonly is: "ready" }
  /** The right kind of server, which does not let this user in or is not ready. */
  | { readonly is: "refusing"; readonly why: string }
  /** Something else, or nothing that answers. */
  | { readonly is: "absent"; readonly why: string };

/**
 * Asks the server of a URL whether it lets in the user whom the URL names, without a password. Never throws. One that does not
 * answer within `patience` (ms, 10 s) is none.
 */
export type Probe = (url: URL, patience?: number) => Promise<Answer>;

/** One side of a connection. `read` gives exactly so many bytes, or throws when the other side ends before. */
export interface Line {
  read(bytes: number): Promise<Buffer>;
  write(bytes: Buffer): void;
}

/** What is said is not what this kind of server says. */
export class ForeignSpeech extends Error {}

/** A server of a host that has much else to do may be slow. */
const PATIENCE_MS = 10_000;

/**
 * A probe that talks the protocol itself, so that no driver need be there. `talk` throws `ForeignSpeech` when it hears another one.
 */
export function conversation(
  title: string,
  standardPort: number,
  talk: (line: Line, url: URL) => Promise<Answer>,
): Probe {
  return async (url, patience = PATIENCE_MS) => {
    const place = { host: url.hostname, port: Number(url.port || standardPort) };
    const where = `${place.host}:${place.port}`;
    const tooLong = AbortSignal.timeout(patience);
    const socket =
      url.protocol === "rediss:" ? connectTls({ ...place, rejectUnauthorized: false }) : connect(place);
    // Whoever reads hears of an error; between two reads it says nothing.
    socket.on("error", () => {});
    try {
      await once(socket, "connect", { signal: tooLong });
    } catch (error) {
      socket.destroy();
      return {
        is: "absent",
        why: tooLong.aborted ? `${where} cannot be reached` : `nothing listens on ${where} (${told(error)})`,
      };
    }
    try {
      return await talk(
        { read: (bytes) => read(socket, bytes, tooLong), write: (bytes) => void socket.write(bytes) },
        url,
      );
    } catch (error) {
      const why = tooLong.aborted ? "does not answer like" : "is not";
      if (error instanceof ForeignSpeech || tooLong.aborted || isBroken(error))
        return { is: "absent", why: `what listens on ${where} ${why} ${title}` };
      throw error;
    } finally {
      socket.destroy();
    }
  };
}

async function read(socket: Socket, bytes: number, signal: AbortSignal): Promise<Buffer> {
  for (;;) {
    const chunk = socket.read(bytes) as Buffer | null;
    if (chunk?.length === bytes) return chunk;
    if (chunk !== null || socket.readableEnded || socket.destroyed) throw new ForeignSpeech();
    await once(socket, "readable", { signal });
  }
}

function isBroken(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function told(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
