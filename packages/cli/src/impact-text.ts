import type { Impact } from "mageflow";
import { number } from "./span.ts";

/** `7 signatures (3 running, 2 callbacks), 12 log lines, 3.4 kB`; roots are counted in. */
export function impactText({
  workflows,
  descendants,
  running,
  callbacks,
  logs,
  moreLogs,
  bytes,
}: Impact): string {
  const parts = [
    ...(running > 0 ? [`${number(running)} running`] : []),
    ...(callbacks > 0 ? [`${number(callbacks)} ${callbacks === 1 ? "callback" : "callbacks"}`] : []),
  ];
  const signatures = descendants + workflows;
  const what = `${number(signatures)} ${signatures === 1 ? "signature" : "signatures"}`;
  return [
    parts.length === 0 ? what : `${what} (${parts.join(", ")})`,
    `${moreLogs ? "at least " : ""}${number(logs)} log ${logs === 1 ? "line" : "lines"}`,
    size(bytes),
  ].join(", ");
}

const UNITS = ["kB", "MB", "GB"] as const;

function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  let [amount, unit] = [bytes / 1_000, 0];
  while (amount >= 1_000 && unit < UNITS.length - 1) {
    amount /= 1_000;
    unit++;
  }
  return `${amount.toFixed(1)} ${UNITS[unit]!}`;
}

/** What several workflows together would lose. */
export function sumOf(impacts: readonly Impact[]): Impact {
  const sum = { workflows: 0, descendants: 0, running: 0, callbacks: 0, logs: 0, moreLogs: false, bytes: 0 };
  for (const impact of impacts) {
    sum.workflows += impact.workflows;
    sum.descendants += impact.descendants;
    sum.running += impact.running;
    sum.callbacks += impact.callbacks;
    sum.logs += impact.logs;
    sum.moreLogs ||= impact.moreLogs;
    sum.bytes += impact.bytes;
  }
  return sum;
}
