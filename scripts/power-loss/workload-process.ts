import { MageFlow } from "mageflow";
import { openDiary, type Write } from "./diary.ts";
import { FIRST, SECOND, type Teller } from "./stories.ts";
import { tasksOf } from "./tasks.ts";

/** Tells the stories, one after the other, with a worker of its own, and keeps a diary of what it asked for and what it was told. */
const [store, path] = process.argv.slice(2);
const write = openDiary(path!);

function teller(story: string): Teller {
  let id: string | undefined;
  return {
    does: async (verb, work, heard = () => ({})) => {
      const known = id === undefined || verb === "submit" ? {} : { id };
      write({ story, what: "asks", verb, ...known });
      const told = await work();
      const more = heard(told);
      id = more.id ?? id;
      write({ story, what: "told", verb, ...known, ...more });
      return told;
    },
  };
}

async function tell(stories: typeof FIRST, keep: Write): Promise<void> {
  await using mage = new MageFlow({ store: store! });
  const stored = (story: string, step: string): void => keep({ story, what: "step", step });
  const tasks = tasksOf(mage, { lingers: true, runs: () => {}, stored });
  await mage.worker({ lease: "1s", heartbeat: "100ms", grace: "1s" });
  for (const [name, story] of Object.entries(stories)) await story(mage, tasks, teller(name));
}

await tell(FIRST, write);
await tell(SECOND, write);
