import { afterAll, describe } from "vitest";
import type { Store } from "../../src/ports/store.ts";
import { openStore } from "../../src/stores/postgres/index.ts";
import { storeSuite } from "../../src/testing/store-suite/index.ts";
import { dropSchema, findServer, freshSchema } from "./postgres-server.ts";

const server = await findServer();

describe.skipIf(server.missing !== null)(
  `on a server${server.missing === null ? "" : `: ${server.missing}`}`,
  () => {
    const { url, schema } = freshSchema(server);

    afterAll(() => dropSchema(server, schema));

    storeSuite({
      name: "PostgreSQL",
      create: () => opened(url),
      reopen: async (store) => {
        await store.close();
        return opened(url);
      },
      destroy: (store) => store.close(),
    });
  },
);

async function opened(url: string): Promise<Store> {
  const store = openStore(url);
  await store.open();
  return store;
}
