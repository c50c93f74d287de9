import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { MageFlow } from "mageflow";

/** The process that runs what {@link ./polling.ts} looks at, until it is let go. */
const [store, cache] = process.argv.slice(2) as [string, string];
await using mage = new MageFlow({ store, ...(cache === "" ? {} : { cache }) });
mage.task("noop", () => sleep(1).then(() => null));
await using worker = await mage.worker({ concurrency: 1_000 });
process.send!("ready");
await once(process, "disconnect");
await worker.stop();
