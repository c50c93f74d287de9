import { MageFlow } from "mageflow";
import { runErrands } from "./errand.ts";

/** The process that runs the tasks in {@link ./millions.ts}. */
const [store, cache] = process.argv.slice(2) as [string, string];
await using mage = new MageFlow({ store, cache });
mage.task("noop", () => null);
mage.task("last", () => null);
await using worker = await mage.worker({ concurrency: 1_000 });
await runErrands({});
await worker.stop();
