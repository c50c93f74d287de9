import { memoryStore } from "../../src/stores/memory/memory-store.ts";
import { storeSuite } from "../../src/testing/store-suite/index.ts";

storeSuite({
  name: "memory",
  create: async () => {
    const store = memoryStore();
    await store.open();
    return store;
  },
  destroy: (store) => store.close(),
  skip: {
    rowLocks: "transactions run one after the other",
    durable: "what it holds is gone with the process",
    editable: "what it holds is of its process alone",
  },
});
