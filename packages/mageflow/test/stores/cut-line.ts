import { connect, createServer, type Socket } from "node:net";
import { once } from "node:events";

/** A line to a server that can be cut: what one side says is lost from then on, and in the end the line itself. */
export interface CutLine extends AsyncDisposable {
  /** The server's URL, over this line. */
  readonly url: string;
  /** Nothing that this side says reaches the other any more. */
  mute(side: "client" | "server"): void;
  /** Hangs up. Whoever calls again is heard by both sides. */
  cut(): void;
}

export async function cutLine(server: string): Promise<CutLine> {
  const { hostname, port } = new URL(server);
  const sockets = new Set<Socket>();
  const muted = new Set<"client" | "server">();
  const listener = createServer((client) => {
    const upstream = connect(Number(port === "" ? 5432 : port), hostname);
    for (const [side, from, to] of [
      ["client", client, upstream],
      ["server", upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => {
        if (!muted.has(side)) to.write(bytes);
      });
      from.on("error", () => {});
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const url = new URL(server);
  url.hostname = "127.0.0.1";
  url.port = String((listener.address() as { port: number }).port);
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    muted.clear();
  };
  return {
    url: url.href,
    mute: (side) => void muted.add(side),
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      listener.close();
      await once(listener, "close");
    },
  };
}
