import type { MageFlow, Run, Status } from "mageflow";
import { listInside } from "../packages/cli/src/list-inside.ts";
import { readSubtree } from "../packages/cli/src/read-subtree.ts";

/** What somebody looks at: a swarm, and how many items it has. */
export interface Sight {
  readonly id: string;
  readonly items: number;
}

const PAGE = 20;
const SESSIONS = 500;
const STATUSES: readonly Status[] = ["PENDING", "RUNNING", "SUCCEEDED", "FAILED"];

/**
 * What the commands of the terminal ask for what they show, and how each is typed. The first asks for one row that is not there: what is
 * slow about it is the machine, or what else goes on there.
 */
export const LOOKS: Readonly<Record<string, (mage: MageFlow, sight: Sight) => Promise<unknown>>> = {
  nothing: (mage) => mage.tombstone("none"),
  ps: (mage) => ps(mage, {}),
  "ps --status": (mage) => ps(mage, { status: ["RUNNING", "SUCCEEDED"] }),
  "ps --all": (mage) => ps(mage, { roots: false }),
  "ps --in": (mage, { id }) => ps(mage, { roots: false, root: id }),
  show: (mage, { id }) => show(mage, id),
  "show item": (mage, { id, items }) => show(mage, `${id}.${Math.floor(Math.random() * items)}`),
  children: async (mage, { id }) => (await mage.get(id)).children({ limit: PAGE }),
  "children, middle": async (mage, { id, items }) =>
    (await mage.get(id)).children({ cursor: String(items >> 1), limit: PAGE }),
  "children, last": async (mage, { id, items }) =>
    (await mage.get(id)).children({ cursor: String(items - PAGE - 1), limit: PAGE }),
  ...Object.fromEntries(
    STATUSES.map((status) => [
      `children, ${status}`,
      async (mage: MageFlow, { id }: Sight) => (await mage.get(id)).children({ status, limit: PAGE }),
    ]),
  ),
  "ps --in --status RUNNING": (mage, { id }) => inside(mage, id, "RUNNING"),
  "ps --in --status FAILED": (mage, { id }) => inside(mage, id, "FAILED"),
};

async function ps(mage: MageFlow, filter: Parameters<MageFlow["list"]>[0]): Promise<void> {
  await Promise.all([listWithProgress(mage, filter), mage.workers(SESSIONS), mage.unhandled()]);
}

async function listWithProgress(mage: MageFlow, filter: Parameters<MageFlow["list"]>[0]): Promise<void> {
  const { items } = await mage.list({ ...filter, limit: PAGE });
  const containers = items.filter(({ kind }) => kind !== "task");
  await Promise.all(containers.map(async ({ id }) => (await mage.get(id)).counts()));
}

async function show(mage: MageFlow, id: string): Promise<void> {
  const run: Run = await mage.get(id);
  const signature = await run.view();
  const [status, children, callbacks] = await Promise.all([
    run.status(),
    run.children({ limit: PAGE }),
    run.callbacks({ limit: PAGE }),
    signature.execution === "SUCCEEDED" ? run.result() : null,
  ]);
  await readSubtree(mage, { signature, status, result: null, cancelled: false, children, callbacks }, true);
}

async function inside(mage: MageFlow, id: string, status: Status): Promise<void> {
  const view = await (await mage.get(id)).view();
  await listInside(mage, view, { status, limit: PAGE });
}
