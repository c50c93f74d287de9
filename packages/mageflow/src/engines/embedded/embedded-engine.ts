import type { Engine } from "../../ports/engine.ts";

/** The engine that needs nothing but the store: workers claim from it in the very transactions that store what has ended. */
export const embeddedEngine: Engine = {
  name: "embedded",
  capabilities: {
    source: "store",
    priorities: "all tasks",
    globalLimits: false,
    pauses: false,
    delays: true,
    revokes: true,
    redelivers: true,
    keeps: true,
    server: null,
  },
  carrier: null,
};
