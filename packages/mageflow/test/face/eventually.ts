import { setTimeout as sleep } from "node:timers/promises";

/** Asks again until there is an answer: for what no event tells of. */
export async function eventually<T>(ask: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    await sleep(5);
  }
}
