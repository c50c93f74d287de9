import { embeddedEngine } from "../../src/engines/embedded/embedded-engine.ts";
import { engineSuite } from "../../src/testing/engine-suite/index.ts";

engineSuite({
  name: "embedded",
  missing: null,
  place: async () => ({ engine: () => embeddedEngine, lose: async () => {}, remove: async () => {} }),
});
