import { describe } from "vitest";
import type { Store } from "../../src/ports/store.ts";
import { mysqlStore } from "../../src/stores/mysql/index.ts";
import { storeSuite } from "../../src/testing/store-suite/index.ts";
import { findServer, freshDatabase } from "./mysql-server.ts";
const server = await findServer();
describe.skipIf(server.missing !== null)("x", async () => {
  const place = await freshDatabase(server);
  storeSuite({
    name: "MySQL",
    create: () => opened(place.url),
    reopen: async (store) => {
      await store.close();
      return opened(place.url);
    },
    destroy: (store) => store.close(),
  });
});
async function opened(url: string): Promise<Store> {
  const store = mysqlStore(url);
  await store.open();
  return store;
}
