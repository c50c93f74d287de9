import { MageFlow } from "mageflow";
import { bootTasks, PER_SECOND } from "./tasks.ts";

/**
 * A process with workers. `holder`: its tasks begin and do not end; it says `holds` when there are so many. `worker`: they end at once. A
 * line on stdin lets it say goodbye.
 */
const [store, role, count = "0", ...tasks] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
/** Places of one worker. */
const PLACES = 500;

const mage = new MageFlow({ store: store!, autoResume: { stagger: { perSecond: PER_SECOND } } });
if (role === "holder") {
  let held = 0;
  bootTasks(mage, async () => {
    if (++held === Number(count)) say("holds");
    await new Promise(() => {});
  });
  const workers = Math.ceil(Number(count) / PLACES);
  for (let n = 0; n < workers; n++) {
    await mage.worker({ concurrency: PLACES, tasks, lease: "10s", heartbeat: "2s", grace: 0 });
  }
} else {
  bootTasks(mage, () => null);
  await mage.worker({ concurrency: 100, tasks: ["lost", "careful", "work"] });
}
say("ready");
process.stdin.once("data", () => void mage.close().then(() => process.exit(0)));
