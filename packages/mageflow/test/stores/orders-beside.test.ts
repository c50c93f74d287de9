import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { needs } from "../../../../scripts/servers/find-server.ts";
import type { AnyPlan } from "../../src/core/flow.ts";
import type { SignatureRecord } from "../../src/core/record.ts";
import type { Signal } from "../../src/core/signal.ts";
import { chain, MageFlow, swarm } from "../../src/index.ts";
import type { Store } from "../../src/ports/store.ts";
import { Batch } from "../../src/runtime/batch.ts";
import { SpecCache } from "../../src/runtime/spec-cache.ts";
import { mysqlStore } from "../../src/stores/mysql/index.ts";
import { postgresStore } from "../../src/stores/postgres/index.ts";
import * as mysql from "./mysql-server.ts";
import * as postgres from "./postgres-server.ts";

const postgresServer = await postgres.findServer();
const mysqlServer = await mysql.findServer();

describe("PostgreSQL", needs(postgresServer), () => {
  const { url, schema } = postgres.freshSchema(postgresServer);
  afterAll(() => postgres.dropSchema(postgresServer, schema));
  cases(() => postgresStore(url));
});

describe("MySQL", needs(mysqlServer), async () => {
  const place = mysqlServer.missing === null ? await mysql.freshDatabase(mysqlServer) : null;
  afterAll(async () => place?.[Symbol.asyncDispose]());
  cases(() => mysqlStore(place!.url));
});

const CLAIM: Signal = { type: "claim", workerId: "w" };
const ORDER = { type: "halt", actor: "somebody", reason: null, grace: 60_000, by: null } as const;
const INTERRUPT: Signal = { ...ORDER, verb: "interrupt" };
const CANCEL: Signal = { ...ORDER, verb: "cancel" };
const LIMIT = { concurrency: 2, stopAfterFailures: 0 };

/** Transactions of which one sees another one's changes too late, or never. */
function cases(make: () => Store): void {
  test("a swarm that stops at its limit stops what is being started meanwhile", async () => {
    await using play = await Play.of(make, (task) => swarm([task, task], { ...LIMIT, onLimit: "interrupt" }));
    await play.tell("0", CLAIM);
    await play.tell("1", CLAIM, () => play.end("0", false));
    await play.sweep("");
    expect(await play.get("1")).toMatchObject({ status: "RUNNING", stop: { verb: "interrupt" } });
  });

  test("also deeper inside, before anything there is cleaned up", async () => {
    await using play = await Play.of(make, (task) =>
      swarm([task, chain([task]).onCleanup(task)], { ...LIMIT, onLimit: "interrupt" }),
    );
    await play.tell("0", CLAIM);
    await play.tell("1.0", CLAIM, () => play.end("0", false));
    await play.sweep("");
    expect(await play.get("1.0")).toMatchObject({ status: "RUNNING", stop: { verb: "interrupt" } });
    expect(await play.get("1.cleanup0")).toMatchObject({ status: "PENDING", readyAt: null });
  });

  test("a task that is cancelled stops what is being started in its callbacks meanwhile", async () => {
    await using play = await Play.of(make, (task) => task.onSuccess(swarm([task])));
    await play.tell("", CLAIM);
    await play.end("", true);
    await play.tell("success0.0", CLAIM, () => play.tell("", CANCEL));
    expect(await play.get("success0.0")).toMatchObject({ status: "RUNNING", stop: { verb: "cancel" } });
  });

  test("what is interrupted again while its swarm leaves it off is left off", async () => {
    await using play = await Play.of(make, (task) => swarm([task, chain([task])], LIMIT));
    await play.tell("0", CLAIM);
    await play.tell("1.0", CLAIM);
    await play.tell("1", INTERRUPT);
    await play.tell("1", { type: "resume" });
    await play.end("0", false, () => play.tell("1", INTERRUPT));
    await play.end("1.0", false);
    expect(await play.get("1")).toMatchObject({ status: "SKIPPED" });
    expect(await play.get("")).toMatchObject({ status: "FAILED" });
  });
}

/** A workflow that nobody goes on with but transactions which are made one by one. */
class Play implements AsyncDisposable {
  readonly #store: Store;
  readonly #root: string;

  private constructor(store: Store, root: string) {
    this.#store = store;
    this.#root = root;
  }

  static async of(make: () => Store, plan: (task: ReturnType<typeof taskOf>) => AnyPlan): Promise<Play> {
    const mage = new MageFlow({ store: make() });
    const { id } = await mage.run(plan(taskOf(mage)));
    await mage.close();
    const store = make();
    await store.open();
    return new Play(store, id);
  }

  async get(rest: string): Promise<SignatureRecord | undefined> {
    return (await this.#store.get([this.#id(rest)]))[0];
  }

  /** `meanwhile` is what another process does before this is written, unless it has to wait for it. */
  tell(rest: string, signal: Signal, meanwhile?: () => Promise<void>): Promise<void> {
    return this.#commit(rest, () => signal, meanwhile);
  }

  /** The end of an attempt. */
  end(rest: string, ok: boolean, meanwhile?: () => Promise<void>): Promise<void> {
    const outcome = ok
      ? ({ ok, result: "1" } as const)
      : ({ ok: false, terminal: true, cause: { name: "Error", message: "bad" } } as const);
    return this.#commit(rest, ({ epoch }) => ({ type: "finish", epoch, outcome }), meanwhile);
  }

  /** Goes on with what is left for a later transaction. */
  async sweep(rest: string): Promise<void> {
    const { sweep } = (await this.get(rest))!;
    if (sweep !== null) await this.tell(rest, { type: "sweep" });
  }

  async #commit(
    rest: string,
    signal: (record: SignatureRecord) => Signal,
    meanwhile: () => Promise<void> = async () => {},
  ): Promise<void> {
    const id = this.#id(rest);
    let other: Promise<void> | undefined;
    await this.#store.transact(async (tx) => {
      const batch = new Batch(tx, new SpecCache());
      await batch.lock([id], { wait: true });
      const record = batch.get(id)!;
      batch.tell(record, signal(record));
      await batch.settle();
      other = meanwhile();
      await Promise.race([other, sleep(500)]);
      await tx.write(batch.changes({ by: "play", n: 1 })!);
    });
    await other;
  }

  #id(rest: string): string {
    return rest === "" ? this.#root : `${this.#root}.${rest}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#store.close();
  }
}

function taskOf(mage: MageFlow) {
  return mage.task("t", () => 1);
}
