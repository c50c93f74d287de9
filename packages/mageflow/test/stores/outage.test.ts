import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import { MageFlow } from "../../src/index.ts";
import { openStore } from "../../src/stores/postgres/index.ts";
import { ask, dropSchema, findServer, freshSchema } from "./postgres-server.ts";

const server = await findServer();

describe("while a worker's store refuses", needs(server), () => {
  const { url, schema } = freshSchema(server);
  const role = `${schema}_role`;
  const LONG = { timeout: 30_000 };
  const warned: NodeJS.ErrnoException[] = [];
  const hear = (warning: NodeJS.ErrnoException): void => {
    if (warning.name === "MageFlowWarning") warned.push(warning);
  };

  beforeEach(async () => {
    process.on("warning", hear);
    const [here] = await ask(server, "SELECT current_database() AS name");
    await ask(
      server,
      `CREATE ROLE ${role} LOGIN; GRANT CREATE ON DATABASE ${String(here!["name"])} TO ${role}`,
    );
  });

  afterEach(async () => {
    process.off("warning", hear);
    await dropSchema(server, schema);
    await ask(server, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  async function shutOut(): Promise<void> {
    await ask(server, `ALTER ROLE ${role} NOLOGIN`);
    await ask(server, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`);
  }

  test(
    "people are told once, however long it is, and again of the next time",
    { timeout: 90_000 },
    async () => {
      const place = new URL(url);
      place.username = role;
      const store = openStore(place.href);
      const [transact, nextDue] = [store.transact.bind(store), store.nextDue.bind(store)];
      let [tries, ends] = [0, 0];
      store.transact = (work) => {
        tries++;
        return transact(work);
      };
      // Asked at the end of each round.
      store.nextDue = () => {
        ends++;
        return nextDue();
      };
      await using mage = new MageFlow({ store });
      const task = mage.task("task", () => 1);
      await using _worker = await mage.worker();
      for (const outages of [1, 2]) {
        await shutOut();
        await expect.poll(() => warned.length, LONG).toBe(outages);
        const refused = tries + 2;
        await expect.poll(() => tries, LONG).toBeGreaterThan(refused);
        await ask(server, `ALTER ROLE ${role} LOGIN`);
        const before = ends + 2;
        await expect.poll(() => ends, LONG).toBeGreaterThan(before);
        expect(await (await mage.run(task)).result()).toBe(1);
        expect(warned).toHaveLength(outages);
      }
      expect(warned[0]).toMatchObject({ code: "STORE_UNAVAILABLE" });
      expect(warned[0]!.message).toContain("the store does nothing for this process");
    },
  );
});
