export interface OnSignals {
  /** Told of the first SIGINT or SIGTERM. */
  readonly gentle: (signal: NodeJS.Signals) => void;
  /** Told of the next one, before the process ends at once. */
  readonly atOnce?: () => void;
}

/** Waits for SIGINT or SIGTERM, until the function that it returns is called. */
export function onSignals({ gentle, atOnce }: OnSignals): () => void {
  let told = false;
  const listener = (signal: NodeJS.Signals): void => {
    if (told) {
      atOnce?.();
      process.exit(130);
    }
    told = true;
    gentle(signal);
  };
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return () => {
    process.off("SIGINT", listener);
    process.off("SIGTERM", listener);
  };
}
