import { describe, expect, test } from "vitest";
import type { Delivery } from "../ports/engine.ts";
import { Offers } from "./offers.ts";

function delivery(epoch: number, generation = 1): Delivery {
  return { id: "x", generation, epoch, name: "task", priority: 0, delay: 0 };
}

describe("offers", () => {
  test("of two of one task the earlier one is stale, whichever comes first", async () => {
    const offers = new Offers();
    const [first, second] = [offers.add(delivery(1)), offers.add(delivery(2))];
    expect(await first).toBe("stale");
    expect(await offers.add(delivery(1))).toBe("stale");
    const third = offers.add(delivery(0, 2));
    expect(await second).toBe("stale");
    offers.take("x")();
    expect(await third).toBe("ended");
  });

  test("what is found stale is that which was looked at, and not what has come since", async () => {
    const offers = new Offers();
    const first = offers.add(delivery(1));
    const looked = offers.waiting(10);
    const second = offers.add(delivery(2));
    offers.stale(looked);
    expect(await first).toBe("stale");
    expect(offers.size).toBe(1);
    offers.stale(offers.waiting(10));
    expect(await second).toBe("stale");
  });

  test("a closed one gives back what was not claimed, and what comes", async () => {
    const offers = new Offers();
    const waiting = offers.add(delivery(1));
    offers.close();
    expect(await waiting).toBe("returned");
    expect(await offers.add(delivery(2))).toBe("returned");
  });

  test("what was claimed ends once, by its attempt or because it was let go", async () => {
    const offers = new Offers();
    const taken = offers.add(delivery(1));
    const ended = offers.take("x");
    offers.letGo();
    expect(await taken).toBe("ended");
    ended();
    expect(offers.drop("x")).toBe(false);
    offers.take("what was never offered")();
  });
});
