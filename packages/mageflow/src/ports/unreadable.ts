import { StoreError } from "../core/errors.ts";

/** A record that is there and cannot be read or used, because of what somebody has done to the store. */
export class UnreadableError extends StoreError {
  readonly id: string;
  /** What is wrong with it. */
  readonly why: string;

  constructor(id: string, why: string, options?: { cause?: unknown }) {
    super(
      "STORE_CORRUPT",
      `"${id}" cannot be used: ${why}; \`mageflow verify\` lists what is broken, restore it from a backup`,
      options,
    );
    this.id = id;
    this.why = why;
  }
}

/** Ids that were warned of, and how many are: nobody reads more. */
const told = new Set<string>();
const MOST = 100;

/** Tells whoever runs the process, once for each record, that it is left out where many are looked at. */
export function warnOfLeftOut({ id, message, code }: UnreadableError): void {
  if (told.has(id) || told.size === MOST) return;
  told.add(id);
  process.emitWarning(`${message}; until then it is left out`, { type: "MageFlowWarning", code });
}
