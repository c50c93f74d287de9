import { note } from "./output.ts";
import { plainJson } from "./plain-text.ts";

interface Warning extends Error {
  readonly code?: string;
  readonly detail?: string;
}

/**
 * From here on what the library warns of is told as the command's own warnings are, in text with its details if `verbose`. Warnings of
 * others stay as Node prints them, and where Node was told to print none, there are none.
 */
export function tellLibraryWarnings({ json, verbose }: { json: boolean; verbose: boolean }): void {
  // It stands there before anything that was preloaded.
  const [printed] = process.listeners("warning");
  if (printed === undefined) return;
  process.off("warning", printed);
  process.on("warning", (warning: Warning) => {
    const { name, message, code, detail } = warning;
    if (name !== "MageFlowWarning") printed.call(process, warning);
    else if (json) process.stderr.write(`${plainJson({ warning: message, code, detail })}\n`);
    else {
      note(`mageflow: ${message}`);
      if (verbose && detail !== undefined) for (const line of detail.split("\n")) note(line);
    }
  });
}
