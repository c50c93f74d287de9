import type { Row } from "./ledger.ts";
import { DONE, idOf, type Word } from "./orders.ts";

/** An order and what became of it. */
export interface Given extends Word {
  /** What it was about. */
  readonly id: string;
  /** `unknown`: the steerer was killed before it was answered. */
  readonly fate: "done" | "refused" | "unknown";
  /** How far the history went before it was given, and when it was answered or its process was dead. */
  readonly askedAt: number;
  readonly toldAt: number;
}

/** The orders of a round, as they were given. */
export function givenOrders(rows: readonly Row[]): Given[] {
  const words = rows.flatMap(({ what, pid, word }) => (word === undefined ? [] : [{ what, pid, word }]));
  const given: Given[] = [];
  for (const [i, { what, pid, word }] of words.entries()) {
    if (what !== "asked") continue;
    const { story, beat, nth } = word;
    const told = words.find(
      (other) =>
        other.what === "told" &&
        other.word.story === story &&
        other.word.beat === beat &&
        other.word.nth === nth,
    );
    const { answer } = told?.word ?? {};
    // The next process begins when this one is dead.
    const next = words.slice(i).find((other) => other.pid !== pid);
    given.push({
      ...word,
      ...told?.word,
      id: idOf(word.rootId, word.path),
      fate: answer === undefined ? "unknown" : answer === DONE ? "done" : "refused",
      askedAt: word.at,
      toldAt: told?.word.at ?? next?.word.at ?? Number.POSITIVE_INFINITY,
    });
  }
  return given;
}

/** True when an order is about this signature, or about something above it. */
export function reaches({ id }: Given, signature: string): boolean {
  return signature === id || signature.startsWith(`${id}.`);
}

/** True when nobody can tell from the answers which of the two was carried out first. */
export function overlap(a: Given, b: Given): boolean {
  return a.askedAt <= b.toldAt && b.askedAt <= a.toldAt;
}
