import type { Backend } from "./backends.ts";
import type { Answer } from "./conversation.ts";

/** Where a server of a backend is, as far as one knows without starting any. */
export type Place =
  | { readonly is: "found"; readonly url: string }
  /** The variable is set and empty: it is to be done without. */
  | { readonly is: "declined"; readonly why: string }
  | { readonly is: "missing"; readonly why: string };

/**
 * The server that the variable names, or else the one that listens where it usually does and lets in without a password. One that is named and
 * does not answer is an error, for nothing else may take its place.
 */
export async function locate(backend: Backend): Promise<Place> {
  const named = process.env[backend.variable];
  if (named === "") return { is: "declined", why: `${backend.variable} is empty` };
  if (named === undefined) return locateUsual(backend);
  const url = URL.canParse(named) ? new URL(named) : null;
  const answer: Answer = url === null ? { is: "absent", why: "it is no URL" } : await backend.probe(url);
  // Whoever names one may know of a password, of which the probe knows nothing.
  if (answer.is !== "absent") return { is: "found", url: named };
  throw new Error(`${backend.variable} names no server that could be used: ${answer.why}`);
}

export async function locateUsual(backend: Backend): Promise<Place> {
  const answer = await backend.probe(new URL(backend.usual));
  return answer.is === "ready" ? { is: "found", url: backend.usual } : { is: "missing", why: answer.why };
}
