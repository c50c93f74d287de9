import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the library and this command are: a stack goes through them, but nobody can mend anything there. */
const OURS = [import.meta.resolve("mageflow"), import.meta.url].map((url) =>
  fileURLToPath(new URL(".", url)),
);

/** `file:line:column` of the first frame of a stack that is the user's own code, from the working directory; null when none is. */
export function userFrame(stack: string | undefined): string | null {
  for (const [, place = ""] of stack?.matchAll(/^ +at (?:.*\()?((?:file:\/\/)?\/[^()]+:\d+:\d+)\)?$/gm) ??
    []) {
    const path = plainPath(place);
    if (path.includes("/node_modules/") || OURS.some((folder) => path.startsWith(folder))) continue;
    return nearPath(path);
  }
  return null;
}

/** A place, written from the working directory when it is below it. */
export function nearPath(place: string): string {
  const path = plainPath(place);
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? path : near;
}

function plainPath(place: string): string {
  const [, url = place, at = ""] = /^(file:.*?)((?::\d+)+)$/.exec(place) ?? [];
  return url.startsWith("file:") ? fileURLToPath(url) + at : place;
}
