import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** Somebody else may take it before it is used; then the server says so and does not come up. */
export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}
