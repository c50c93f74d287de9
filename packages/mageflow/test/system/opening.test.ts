import { MageFlow } from "mageflow";
import { expect, test } from "vitest";
import { folder, program } from "./program.ts";

test("processes that open the same new store at once all find it made", async () => {
  using place = folder();
  await using stack = new AsyncDisposableStack();
  const openers = [1, 2, 3].map(() => stack.use(program("opener")));
  await Promise.all(openers.map((opener) => opener.says("ready")));
  for (let i = 0; i < 8; i++) {
    const store = `sqlite:${place.path(`new-${i}.db`)}`;
    for (const opener of openers) opener.tell(store);
    const ids = await Promise.all(openers.map((opener) => opener.says(`stored ${store}`)));
    await using mage = new MageFlow({ store });
    const { items } = await mage.list();
    expect(items.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
  }
});
