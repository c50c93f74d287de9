import type { Engine, EngineCapabilities } from "../../ports/engine.ts";

const CAPABILITIES: EngineCapabilities = {
  source: "store",
  priorities: "all tasks",
  globalLimits: false,
  pauses: false,
  delays: true,
  revokes: true,
  redelivers: true,
  keeps: true,
  server: null,
};

/** Workers take their tasks from the store. */
export const NO_CARRIER: Engine = { name: "simulated", capabilities: CAPABILITIES, carrier: null };
