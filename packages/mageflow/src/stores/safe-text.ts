/**
 * UTF-8 carries no lone surrogate, and PostgreSQL keeps no NUL in a text. Both are written as an escape, and so is the character
 * that begins one, so that any two texts stay different. JSON escapes both itself, and labels have neither: only what people and
 * programs write freely, and ids that may not exist, can meet this.
 */

const ESCAPE = "\u001a";

/** NUL, the escape itself, and halves of pairs that stand alone. */
// oxlint-disable-next-line no-control-regex -- these are what it is about.
const UNSAFE = /[\0\u001a]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

// oxlint-disable-next-line no-control-regex -- these are what it is about.
const CONTROL = /[\0\u001a]/;

export function toSafe(text: string): string {
  if (!CONTROL.test(text) && text.isWellFormed()) return text;
  return text.replace(UNSAFE, (unit) => ESCAPE + unit.charCodeAt(0).toString(16).padStart(4, "0"));
}

export function fromSafe(text: string): string {
  if (!text.includes(ESCAPE)) return text;
  // oxlint-disable-next-line no-control-regex -- the escape is such a character.
  return text.replace(/\u001a([0-9a-f]{4})/g, (_, unit: string) => String.fromCharCode(parseInt(unit, 16)));
}
