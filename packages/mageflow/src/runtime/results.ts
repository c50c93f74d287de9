import { childId } from "../core/ids.ts";
import { MAX_PAYLOAD_BYTES } from "../core/payload.ts";
import type { SignatureRecord } from "../core/record.ts";
import { INLINE_ITEMS, itemText, swarmText } from "../core/result.ts";

/** Whoever can read records by id: a store, or a transaction with what it has changed. */
export interface Reader {
  read(ids: readonly string[]): Promise<readonly SignatureRecord[]>;
}

/** Items that are read for one result: swarms in swarms tell no more than their counts beyond it. */
const MOST_ITEMS = 10_000;

/** What is left of {@link MOST_ITEMS}. */
interface Budget {
  items: number;
}

/**
 * JSON text of the result of a signature that succeeded (of a swarm, also when it failed). A task's is stored with it. A
 * container's is put together when it is asked for, from children that cannot change any more.
 */
export async function resultText(
  reader: Reader,
  record: SignatureRecord,
  budget: Budget = { items: MOST_ITEMS },
): Promise<string> {
  if (record.result !== null) return record.result;
  if (record.kind === "swarm") return swarmResult(reader, record, budget);
  if (record.kind === "chain") {
    const [last] = await reader.read([childId(record.id, record.family!.total - 1)]);
    if (last !== undefined) return resultText(reader, last, budget);
  }
  return "null";
}

async function swarmResult(reader: Reader, swarm: SignatureRecord, budget: Budget): Promise<string> {
  const { total } = swarm.family!;
  if (total > INLINE_ITEMS || total > budget.items) return swarmText(swarm, null);
  budget.items -= total;
  const ids = Array.from({ length: total }, (_, slot) => childId(swarm.id, slot));
  const items = (await reader.read(ids)).toSorted((a, b) => a.slot - b.slot);
  const texts: string[] = [];
  let chars = 0;
  for (const item of items) {
    const text = itemText(item, item.status === "SUCCEEDED" ? await resultText(reader, item, budget) : null);
    chars += text.length;
    if (chars > MAX_PAYLOAD_BYTES) return swarmText(swarm, null);
    texts.push(text);
  }
  return swarmText(swarm, texts);
}
