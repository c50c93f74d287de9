import { describe, expect, test } from "vitest";
import type { Ticket } from "../../../ports/store.ts";
import { HARD_JSON, HARD_NAMES } from "../hard-texts.ts";
import type { StoreHarness } from "../harness.ts";
import { FAR_AHEAD, LONG_AGO } from "../sample-record.ts";
import { onStore, type Scene } from "../scene.ts";

function ticket(scene: Scene, name: string, other: Partial<Ticket> = {}): Ticket {
  return { token: `${scene.id}${name}`, body: "{}", expiresAt: FAR_AHEAD, ...other };
}

function read(scene: Scene, { token }: Ticket): Promise<Ticket | null> {
  return scene.ask((tx) => tx.ticket(token));
}

export function ticketCases(harness: StoreHarness): void {
  describe("ticket", () => {
    test(
      "comes back as it was written, again and again",
      onStore(harness, async (scene) => {
        const tickets = HARD_JSON.map(([what, body], n) =>
          ticket(scene, what, { body, expiresAt: FAR_AHEAD - n }),
        );
        await scene.write({ tickets });
        for (const one of [...tickets, ...tickets]) {
          const found = await read(scene, one);
          // Compared here, as the difference of two texts of 1 MiB takes minutes to show.
          expect({ ...found, body: found?.body === one.body }).toEqual({ ...one, body: true });
        }
      }),
    );

    test(
      "null for a token that nobody has, however alike",
      onStore(harness, async (scene) => {
        await scene.write({ tickets: [ticket(scene, "abc")] });
        for (const name of ["", "ab", "ABC", "abc ", "ab_", "%"])
          expect(await read(scene, ticket(scene, name))).toBeNull();
      }),
    );

    test(
      "tokens that a database would confuse stay apart",
      onStore(harness, async (scene) => {
        const tickets = HARD_NAMES.map((name, n) => ticket(scene, name, { body: `${n}` }));
        await scene.write({ tickets });
        for (const one of tickets) expect(await read(scene, one)).toEqual(one);
      }),
    );

    test(
      "null once it has expired, at the instant itself already",
      onStore(harness, async (scene) => {
        const past = ticket(scene, "past", { expiresAt: LONG_AGO });
        const now = ticket(scene, "now");
        const kept = ticket(scene, "kept");
        await scene.store.transact((tx) =>
          tx.write({ tickets: [past, { ...now, expiresAt: tx.now }, kept] }),
        );
        expect(await read(scene, past)).toBeNull();
        expect(await read(scene, now)).toBeNull();
        expect(await read(scene, kept)).toEqual(kept);
      }),
    );

    test(
      "a new one leaves those alone that have not expired",
      onStore(harness, async (scene) => {
        const kept = ticket(scene, "kept");
        await scene.write({ tickets: [kept, ticket(scene, "past", { expiresAt: LONG_AGO })] });
        await scene.write({ tickets: [ticket(scene, "new")] });
        await scene.write({ tickets: [] });
        expect(await read(scene, kept)).toEqual(kept);
      }),
    );

    test(
      "a token is taken until its ticket has expired",
      onStore(harness, async (scene) => {
        const kept = ticket(scene, "kept");
        await scene.write({ tickets: [kept] });
        await expect(scene.write({ tickets: [{ ...kept, body: "1" }] })).rejects.toThrow(Error);
        const twice = ticket(scene, "twice");
        await expect(scene.write({ tickets: [twice, twice] })).rejects.toThrow(Error);
        expect(await read(scene, kept)).toEqual(kept);
        expect(await read(scene, twice)).toBeNull();
        const past = ticket(scene, "past", { expiresAt: LONG_AGO });
        await scene.write({ tickets: [past] });
        const next = { ...past, body: "2", expiresAt: FAR_AHEAD };
        await scene.write({ tickets: [next] });
        expect(await read(scene, past)).toEqual(next);
      }),
    );

    test(
      "is not there when its transaction fails",
      onStore(harness, async (scene) => {
        const lost = ticket(scene, "lost");
        const failed = scene.store.transact(async (tx) => {
          await tx.write({ tickets: [lost] });
          throw new Error("no");
        });
        await expect(failed).rejects.toThrow("no");
        expect(await read(scene, lost)).toBeNull();
      }),
    );

    test(
      "is there for who opens the store next",
      onStore(
        harness,
        async (scene) => {
          const kept = ticket(scene, "kept");
          await scene.write({ tickets: [kept] });
          await scene.reopen();
          expect(await read(scene, kept)).toEqual(kept);
        },
        "durable",
      ),
    );
  });
}
