import { readFileSync } from "node:fs";

/** Ids of the workflows that the submitter was told are stored, by index. */
export function acknowledged(journal: string): Map<number, string> {
  const ids = new Map<number, string>();
  for (const line of readFileSync(journal, "utf8").split("\n")) {
    const [what, index, id] = line.split(" ");
    if (what === "acknowledged") ids.set(Number(index), id!);
  }
  return ids;
}
