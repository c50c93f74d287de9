import { MageFlow } from "mageflow";

/** Starts its worker wherever it is loaded. */
const mage = new MageFlow();
for (const isolation of ["thread", "process"] as const) {
  mage.task(`unguarded in a ${isolation}`, { isolation, module: import.meta.url }, () => 0);
}
await mage.worker();
