import { crc32 } from "node:zlib";
import { isSettled, type SignatureRecord } from "../core/record.ts";
import { isEnded } from "../core/status.ts";

/** The fields of a record in the order in which a copy has them. Another order is another {@link FORMAT}. */
const FIELDS = Object.keys({
  id: true,
  rootId: true,
  parentId: true,
  role: true,
  slot: true,
  key: true,
  kind: true,
  name: true,
  spec: true,
  status: true,
  prior: true,
  heldBy: true,
  generation: true,
  origin: true,
  attempt: true,
  epoch: true,
  recoveries: true,
  priority: true,
  readyAt: true,
  dueAt: true,
  deadlineAt: true,
  workerId: true,
  bound: true,
  message: true,
  result: true,
  error: true,
  family: true,
  sweep: true,
  stop: true,
  deletion: true,
  lock: true,
  milestone: true,
  credited: true,
  tags: true,
  createdAt: true,
  startedAt: true,
  finishedAt: true,
} satisfies Record<keyof SignatureRecord, true>) as (keyof SignatureRecord)[];

/** Of the records as they are written here: a process of another release does not read them as something else. */
const FORMAT = crc32(FIELDS.join()).toString(36);

/** Records whose copies are longer are left to the store: a cache is for what is small and asked for often. */
const MOST_CHARACTERS = 65_536;

/** What goes on by itself is read again after a second at the latest, whoever writes it and in whatever way. */
const LIVE_MS = 1_000;
/** What has settled changes only when somebody orders it. */
const SETTLED_MS = 15_000;

/** How long (ms) a copy of this record may be shown. */
export function lifeOf(record: SignatureRecord): number {
  return isSettled(record) ? SETTLED_MS : LIVE_MS;
}

/** True when a record shows an outcome: whoever has seen it expects to find everything that led to it. */
export function tellsAnEnd(record: SignatureRecord): boolean {
  return isEnded(record.status) || isSettled(record);
}

/** The text of a copy, or null for a record that is too long. */
export function copyOf(record: SignatureRecord): string | null {
  const text = JSON.stringify(FIELDS.map((field) => record[field]));
  return text.length > MOST_CHARACTERS ? null : sealed(text);
}

/** The record of a copy, or null when it is none of this id, is damaged, or is of another release. */
export function recordOf(id: string, copy: string): SignatureRecord | null {
  const record = opened(copy) as unknown[] | null;
  if (record === null) return null;
  const fields = Object.fromEntries(
    FIELDS.map((field, i) => [field, record[i]]),
  ) as unknown as SignatureRecord;
  return fields.id === id ? fields : null;
}

/** The text of a page, or null when it is too long. */
export function pageOf(page: unknown): string | null {
  const text = JSON.stringify(page);
  return text.length > 4 * MOST_CHARACTERS ? null : sealed(text);
}

/** What {@link pageOf} has made a text of, or null when it is damaged. */
export function readPage(text: string): unknown {
  return opened(text);
}

/** With a checksum, as anybody may write to a cache. */
function sealed(text: string): string {
  return `${FORMAT} ${crc32(text).toString(36)} ${text}`;
}

function opened(sealedText: string): unknown {
  const [format, sum] = sealedText.split(" ", 2);
  if (format !== FORMAT || sum === undefined) return null;
  const text = sealedText.slice(format.length + sum.length + 2);
  return crc32(text).toString(36) === sum ? (JSON.parse(text) as unknown) : null;
}
