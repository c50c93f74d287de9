import { Client } from "pg";

/** What a statement did: its text, and its plan with the rows that each step gave. */
export interface Explained {
  readonly text: string;
  readonly plan: string;
}

/** Has the server tell, with each statement, how it was carried out. The extension comes with the server; loading it takes a superuser. */
const OPTIONS = [
  "session_preload_libraries=auto_explain",
  "auto_explain.log_min_duration=0",
  "auto_explain.log_analyze=on",
  "auto_explain.log_timing=off",
  "auto_explain.log_level=notice",
];

const told: Explained[] = [];

/** The URL of the same database, over connections that tell their plans. */
export function explaining(url: string): string {
  const place = new URL(url);
  place.searchParams.set("options", OPTIONS.map((option) => `-c ${option}`).join(" "));
  return place.href;
}

/** From now on the plans of all statements of this process are kept. */
export function listen(): void {
  const { connect } = Client.prototype as unknown as {
    connect: (this: Client, ...args: unknown[]) => unknown;
  };
  Client.prototype.connect = function (this: Client, ...args: unknown[]) {
    this.on("notice", ({ message }) => {
      const found = /^duration: .* plan:\nQuery Text: ([\s\S]*?)\n(\S.*\(cost=[\s\S]*)$/.exec(message ?? "");
      if (found !== null) told.push({ text: found[1]!, plan: shortened(found[2]!) });
    });
    return connect.apply(this, args);
  } as typeof Client.prototype.connect;
}

/** The plans of what was done since it was last asked. */
export function taken(): Explained[] {
  return told.splice(0);
}

/** Without what the planner believed, and what is no part of the way. */
function shortened(plan: string): string {
  return plan
    .split("\n")
    .filter((line) => !/^\s*(Sort Method|Heap Fetches|Memory|Batches|Buckets|Cache|Storage)/.test(line))
    .map((line) => line.replace(/\s*\(cost=\S+ rows=\d+ width=\d+\)/, "").trimEnd())
    .join("\n");
}
