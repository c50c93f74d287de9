/** As anybody can paste it: npx finds the command in a project that has it, in a checkout of the repository, and among global packages. */
const COMMAND = "npx mageflow";

/** The store and the cache that a command was given. */
export interface Given {
  readonly store?: string | undefined;
  readonly cache?: string | undefined;
}

/** A command for a hint, with the store and the cache that this one was given, but without their passwords. */
export function commandLine(words: readonly string[], { store, cache }: Given): string {
  const all = [
    ...words,
    ...(store === undefined ? [] : ["--store", store]),
    ...(cache === undefined ? [] : ["--cache", cache]),
  ];
  return [COMMAND, ...all.map((word) => quoted(withoutPassword(word)))].join(" ");
}

/** A URL as it may be shown, also behind its option. One that cannot be read loses all that may belong to a password. */
export function withoutPassword(word: string): string {
  return word
    .replace(/^((?:--\w+=)?[a-z][a-z0-9+.-]*:\/\/)([^:@/]*):.*@/is, (_, before: string, user: string) =>
      user === "" ? before : `${before}${user}@`,
    )
    .replace(/^((?:--\w+=)?[a-z][a-z0-9+.-]*:.*?[?&]password=)[^&]*/is, "$1");
}

/** What was typed, with one option set anew; `flags` are all its spellings, the one to write first. All other options stay. */
export function typedWith(typed: readonly string[], flags: readonly string[], value: string): string {
  const kept: string[] = [];
  for (let at = 0; at < typed.length; at++) {
    const word = typed[at]!;
    if (flags.includes(word)) at++;
    else if (!flags.some((flag) => word.startsWith(flag.startsWith("--") ? `${flag}=` : flag)))
      kept.push(word);
  }
  return commandLine([...kept, flags[0]!, value], {});
}

/** The value of an option among words that nobody has parsed. */
export function typedValue(typed: readonly string[], flag: string): string | undefined {
  const at = typed.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (at < 0) return undefined;
  return typed[at] === flag ? typed[at + 1] : typed[at]!.slice(flag.length + 1);
}

/** For a POSIX shell; `<file>` stands for something that is to be filled in. */
function quoted(word: string): string {
  return /^(<\w+>|[\w@%+=:,./-]+)$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
