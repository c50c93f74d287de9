/** Waits for SIGINT or SIGTERM. `gentle` is told of the first; the second ends the process at once. */
export function onSignals(gentle: (signal: NodeJS.Signals) => void): () => void {
  let told = false;
  const listener = (signal: NodeJS.Signals): void => {
    if (told) process.exit(130);
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
