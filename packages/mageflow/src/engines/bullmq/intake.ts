import { setTimeout as sleep } from "node:timers/promises";
import { Job, Worker } from "bullmq";
import type { Answer, Consumer, Consumption } from "../../ports/engine.ts";
import { deliveryOf } from "./job.ts";
import type { Link } from "./link.ts";
import { Room } from "./room.ts";

/** A lock is renewed, and it is looked for those that have run out, so often while one lasts. */
const LOOKS = 3;
/** An idle worker looks at a queue after so many seconds, though nothing rang: nothing rings for what somebody has returned. */
const LOOK_S = 1;
/** Jobs whose locks are renewed at once. */
const CHUNK = 500;
/** Wait (ms) after Redis has refused. */
const REFUSED_MS = 500;
/** So many looks in a row that find nothing within this time (ms) are followed by a pause of the same: a queue may be held up. */
const IN_VAIN = 8;
const EMPTY_MS = 5;
/** What Redis may take (ms) to hear of the last answers. */
const FAREWELL_MS = 3_000;

interface IntakeOptions {
  readonly prefix: string;
  readonly queueOf: (task: string) => string;
}

/** Takes jobs for one worker: a queue for each task, and together no more than the worker has room for. */
export class Intake implements Consumption {
  readonly #link: Link;
  readonly #consumer: Consumer;
  readonly #options: IntakeOptions;
  readonly #room: Room;
  readonly #taps: Tap[] = [];
  #stopped: Promise<void> | null = null;

  constructor(link: Link, consumer: Consumer, options: IntakeOptions) {
    this.#link = link;
    this.#consumer = consumer;
    this.#options = options;
    this.#room = new Room(consumer.concurrency);
    this.add(consumer.tasks);
  }

  add(tasks: ReadonlyMap<string, number>): void {
    if (this.#room.isClosed) return;
    for (const [task, most] of tasks) {
      this.#room.add(task, most);
      this.#taps.push(new Tap(this.#link, this.#consumer, this.#room, task, this.#options));
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#room.close();
    await Promise.all(this.#taps.map((tap) => tap.stop()));
  }
}

/** Takes the jobs of one task. */
class Tap {
  readonly #link: Link;
  readonly #consumer: Consumer;
  readonly #room: Room;
  readonly #task: string;
  readonly #worker: Worker;
  readonly #token: string;
  readonly #renewal: NodeJS.Timeout;
  /** Ids of the jobs that it has. */
  readonly #jobs = new Set<string>();
  /** What is on its way to an answer, and what the queue is still to hear. */
  readonly #serving = new Set<Promise<void>>();
  readonly #taking: Promise<void>;
  #unanswered = 0;
  #onAnswered: (() => void) | null = null;

  constructor(link: Link, consumer: Consumer, room: Room, task: string, { prefix, queueOf }: IntakeOptions) {
    this.#link = link;
    this.#consumer = consumer;
    this.#room = room;
    this.#task = task;
    const connection = link.client;
    const { lease } = consumer;
    const waits = { lockDuration: lease, stalledInterval: Math.ceil(lease / LOOKS), drainDelay: LOOK_S };
    this.#worker = new Worker(queueOf(task), null, { connection, prefix, ...waits });
    // What cannot be reached shows in what cannot be published; an event without a listener would be thrown.
    this.#worker.on("error", () => {});
    this.#token = this.#worker.id;
    this.#renewal = setInterval(() => void this.#renew().catch(() => {}), lease / LOOKS).unref();
    void this.#worker.startStalledCheckTimer();
    this.#taking = this.#take();
  }

  async #take(): Promise<void> {
    // A look that finds nothing returns at once, and the next one waits, unless somebody else has taken what it was woken for.
    let inVain = 0;
    while (await this.#room.free(this.#task)) {
      const begun = performance.now();
      const job = await this.#next();
      inVain = job === undefined && performance.now() - begun < EMPTY_MS ? inVain + 1 : 0;
      // What was on its way when it was told to stop is for others.
      if (job !== undefined && this.#room.isClosed) await this.#answer(job, "returned");
      else if (job !== undefined) this.#hold(job);
      else if (inVain > IN_VAIN) await sleep(EMPTY_MS);
    }
  }

  async #next(): Promise<Job | undefined> {
    try {
      return await this.#worker.getNextJob(this.#token, { block: true });
    } catch {
      if (!this.#room.isClosed) await sleep(REFUSED_MS);
      return undefined;
    }
  }

  #hold(job: Job): void {
    this.#room.enter(this.#task);
    const serving = this.#serve(job).finally(() => {
      this.#serving.delete(serving);
      this.#room.leave(this.#task);
    });
    this.#serving.add(serving);
  }

  /** One after the other in the same place, for as long as the answer to one brings the next. */
  async #serve(first: Job): Promise<void> {
    for (let job: Job | undefined = first; job !== undefined;) {
      const id: string = job.id!;
      this.#jobs.add(id);
      const answer = await this.#deliver(job);
      this.#jobs.delete(id);
      job = await this.#answer(job, answer);
    }
  }

  async #deliver(job: Job): Promise<Answer> {
    const delivery = deliveryOf(this.#task, job.data);
    if (delivery === null) return "stale";
    if (this.#room.isClosed) return "returned";
    this.#unanswered++;
    try {
      return await this.#consumer.deliver(delivery);
    } finally {
      this.#unanswered--;
      if (this.#unanswered === 0) this.#onAnswered?.();
    }
  }

  /** Tells the queue. Gives the job that comes next, if there is one and room for it. */
  async #answer(job: Job, answer: Answer): Promise<Job | undefined> {
    try {
      if (answer === "returned") return void (await job.moveToWait(this.#token));
      const follows = this.#room.mayFollow(this.#task);
      const [json, id] = (await job.moveToCompleted(answer, this.#token, follows)) ?? [];
      return json ? Job.fromJSON(this.#worker as never, json as never, id as string) : undefined;
    } catch {
      // The queue has lost it, or given it to somebody else meanwhile: its attempt has ended all the same.
      return undefined;
    }
  }

  async #renew(): Promise<void> {
    if (!this.#link.isUp) return;
    const ids = [...this.#jobs];
    for (let from = 0; from < ids.length; from += CHUNK) {
      const some = ids.slice(from, from + CHUNK);
      const tokens = some.map(() => this.#token);
      await this.#worker.extendJobLocks(some, tokens, this.#consumer.lease);
    }
  }

  /** The room is closed by now. */
  async stop(): Promise<void> {
    // At once, so that nothing rings here for a job that is for others. What it has can be answered all the same.
    await this.#worker.close(true);
    await farewell(this.#taking);
    if (this.#unanswered > 0) await new Promise<void>((resolve) => (this.#onAnswered = resolve));
    await farewell(Promise.all(this.#serving));
    clearInterval(this.#renewal);
  }
}

/** Waits for something that Redis may never hear of. */
async function farewell(last: Promise<unknown>): Promise<void> {
  await Promise.race([last, sleep(FAREWELL_MS, undefined, { ref: false })]);
}
