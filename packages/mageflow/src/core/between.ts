/** Characters behind the common beginning that are told apart: of an id that begins with an instant they span years. */
const DIGITS = 6;
/** One more than the greatest character of an id. */
const BASE = 128;
const FIRST_PRINTED = 0x21;

/**
 * A text between two others, at this part (0 to 1) of the way from the lower one. Of ids that grow with time it is one from this
 * part of the time between them, be it given to anything or not.
 */
export function between(low: string, high: string, part: number): string {
  let common = 0;
  while (common < low.length && low[common] === high[common]) common++;
  const [from, to] = [low, high].map((text) => numberOf(text.slice(common, common + DIGITS))) as [
    number,
    number,
  ];
  return low.slice(0, common) + textOf(Math.floor(from + Math.max(0, to - from) * part));
}

function numberOf(text: string): number {
  let number = 0;
  for (let i = 0; i < DIGITS; i++) number = number * BASE + (i < text.length ? text.charCodeAt(i) : 0);
  return number;
}

/** A character below the first that is printed becomes that one, and so do all behind it: a smaller number has no greater text. */
function textOf(number: number): string {
  let text = "";
  for (let i = 0, unit = BASE ** (DIGITS - 1); i < DIGITS; i++, unit /= BASE) {
    const character = Math.floor(number / unit) % BASE;
    if (character < FIRST_PRINTED) return text.padEnd(DIGITS, String.fromCharCode(FIRST_PRINTED));
    text += String.fromCharCode(character);
  }
  return text;
}
