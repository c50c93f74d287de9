import { connect, createServer, type Socket } from "node:net";
import { once } from "node:events";

/** One connection over a line. */
interface Call {
  /** Nothing that this side says reaches the other any more, and neither is told: the connection is half-open. */
  mute(side: Side): void;
  /** Hangs up. */
  cut(): void;
  /** Hangs up on the client; the server is not told. */
  forsake(): void;
}

type Side = "client" | "server";

/** A line to a server that can be cut: what one side says is lost from then on, and in the end the line itself. */
export interface CutLine extends AsyncDisposable {
  /** The server's URL, over this line. */
  readonly url: string;
  /** Those that are not over. */
  readonly calls: ReadonlySet<Call>;
  /** Nothing that this side says reaches the other any more. */
  mute(side: Side): void;
  /** Both are heard again, on whatever is left. */
  unmute(): void;
  /** How much was said that the other side has not heard. */
  readonly lost: number;
  /** Hangs up. Whoever calls again is heard by both sides. */
  cut(): void;
}

const USUAL_PORTS: Readonly<Record<string, number>> = {
  "postgres:": 5432,
  "postgresql:": 5432,
  "mysql:": 3306,
};

export async function cutLine(server: string): Promise<CutLine> {
  const { protocol, hostname, port } = new URL(server);
  const calls = new Set<Call>();
  const muted = new Set<Side>();
  let lost = 0;
  /** Connections to the server, those that it alone believes in included. */
  const upstreams = new Set<Socket>();
  // As drivers do: what one side has said is not kept until the other has acknowledged what came before it, which takes 40 ms.
  const noDelay = true;
  const listener = createServer({ noDelay }, (client) => {
    const upstream = connect({
      port: port === "" ? USUAL_PORTS[protocol]! : Number(port),
      host: hostname,
      noDelay,
    });
    const mutedHere = new Set<Side>();
    let isForsaken = false;
    upstreams.add(upstream);
    upstream.on("close", () => upstreams.delete(upstream));
    const call: Call = {
      mute: (side) => void mutedHere.add(side),
      cut: () => {
        client.destroy();
        upstream.destroy();
      },
      forsake: () => {
        isForsaken = true;
        client.destroy();
      },
    };
    calls.add(call);
    for (const [side, from, to] of [
      ["client", client, upstream],
      ["server", upstream, client],
    ] as const) {
      from.on("data", (bytes) => {
        if (muted.has(side) || mutedHere.has(side)) lost++;
        else to.write(bytes);
      });
      from.on("error", () => {});
      from.on("close", () => {
        calls.delete(call);
        if (!isForsaken) to.destroy();
      });
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const url = new URL(server);
  url.hostname = "127.0.0.1";
  url.port = String((listener.address() as { port: number }).port);
  const cut = (): void => {
    for (const call of calls) call.cut();
    muted.clear();
  };
  return {
    url: url.href,
    calls,
    mute: (side) => void muted.add(side),
    unmute: () => muted.clear(),
    get lost() {
      return lost;
    },
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      for (const upstream of upstreams) upstream.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
