import { MageFlow } from "mageflow";
import { expect, test } from "vitest";
import { lastLogSeq, tellLogs } from "./tell-logs.ts";

test.each([0, 1, 2, 3, 7, 8, 33])(
  "the last of %d lines is found, and only later ones are told of",
  async (lines) => {
    await using mage = new MageFlow({ store: "memory:" });
    const chatty = mage.task("chatty", ({ lines: many }: { lines: number }, ctx) => {
      for (let n = 0; n < many; n++) ctx.log.info(`line ${n}`);
    });
    await mage.worker();
    await (await mage.run(chatty, { lines })).settled();
    const all = await mage.logs({ limit: 1_000 });
    const last = await lastLogSeq(mage);
    expect(last).toBe(all.at(-1)?.seq ?? 0);

    const told: string[] = [];
    const telling = tellLogs(
      (query) => mage.logs(query),
      last,
      ({ message }) => told.push(message),
    );
    await (await mage.run(chatty, { lines: 2 })).settled();
    await telling.end();
    expect(told).toEqual(["line 0", "line 1"]);
  },
);
