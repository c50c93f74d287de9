import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A line to a server on which everything that the server says comes `delay` milliseconds late. */
export interface SlowLine extends AsyncDisposable {
  readonly url: string;
  delay: number;
}

export async function slowLine(server: string): Promise<SlowLine> {
  const { hostname, port } = new URL(server);
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: Number(port), host: hostname, noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    client.on("data", (bytes) => upstream.write(bytes));
    client.on("close", () => upstream.destroy());
    upstream.on("data", (bytes) => setTimeout(() => client.write(bytes), line.delay));
    upstream.on("close", () => client.destroy());
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const line: SlowLine = {
    url: `redis://127.0.0.1:${(listener.address() as { port: number }).port}`,
    delay: 0,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
  return line;
}
