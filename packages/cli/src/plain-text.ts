/**
 * What a terminal would act on instead of showing: control characters (C0, DEL, C1, so no escape sequence and no line break
 * survives), marks that turn the direction of text, characters without a width, line separators, tag characters, and
 * halves of surrogate pairs.
 */
const ACTIVE =
  // oxlint-disable-next-line no-control-regex -- they are what this is about
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

const COLOUR = new RegExp(String.raw`(${"\u001b"}\[[0-9;]{0,16}m)`, "u");

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Text from a store, a file or a person as it may be shown on a terminal: on one line, with nothing that moves a cursor. */
export function plainText(text: string): string {
  return text.replace(ACTIVE, (found) => NAMED[found] ?? escaped(found));
}

/** How a text is put into a sentence, with `most` characters at most. */
export type Quote = (text: string, most: number) => string;

/** {@link clip} for people. Programs get the text itself, for {@link plainJson} makes it harmless. */
export function quoting(json: boolean): Quote {
  return json ? cut : clip;
}

function cut(text: string, most: number): string {
  const characters = Array.from(text.slice(0, most * 2));
  if (characters.length <= most && text.length <= most * 2) return text;
  return `${characters.slice(0, most - 1).join("")}…`;
}

/** {@link plainText}, cut to `most` characters. */
export function clip(text: string, most: number): string {
  // Cut first: a text of a megabyte is not worth escaping as a whole.
  const units = text.length > most * 4 ? text.slice(0, most * 4) : text;
  const characters = Array.from(plainText(units));
  if (characters.length <= most && units.length === text.length) return characters.join("");
  return `${characters.slice(0, most - 1).join("")}…`;
}

/**
 * JSON text that is as harmless on a terminal as {@link plainText} and still the same data: what is active becomes a `\u` escape, which can
 * only stand inside a string.
 */
export function plainJson(value: unknown, space?: number): string {
  const json = JSON.stringify(value, null, space);
  return json.replace(ACTIVE, (found) => (found === "\n" ? found : escapedUnits(found)));
}

/** Painted lines at the door: colours (SGR sequences) and tabs pass, anything else that is active is shown as text. */
export function terminalSafe(line: string): string {
  return line
    .split(COLOUR)
    .map((part, index) => (index % 2 === 1 ? part : plainText(part)))
    .join("");
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
}

function escapedUnits(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
