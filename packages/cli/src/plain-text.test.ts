import { expect, test } from "vitest";
import { clip, plainJson, plainText, terminalSafe } from "./plain-text.ts";

const ESC = "\u001b";

test.each([
  ["escape sequences", `a${ESC}[2Jb`, "a\\x1b[2Jb"],
  ["titles of windows", `${ESC}]0;owned\u0007`, "\\x1b]0;owned\\x07"],
  ["8-bit escape sequences", "\u009b31m", "\\x9b31m"],
  ["line breaks", "one\r\n2026 error forged", "one\\r\\n2026 error forged"],
  ["what turns the direction", "exe\u202egnp.\u2066x\u2069", "exe\\u202egnp.\\u2066x\\u2069"],
  ["what has no width", "ad\u200bmin\ufeff\u00ad", "ad\\u200bmin\\ufeff\\xad"],
  ["line separators", "a\u2028b\u2029c", "a\\u2028b\\u2029c"],
  ["tag characters", "a\u{e0041}", "a\\u{e0041}"],
  ["halves of surrogate pairs", "a\ud83d", "a\\ud83d"],
  ["backspaces and deletes", "ab\b\u007f", "ab\\x08\\x7f"],
])("shows %s as text", (_, hostile, shown) => {
  expect(plainText(hostile)).toBe(shown);
});

test("leaves letters of all scripts and emoji alone", () => {
  const text = "Größe 大小 حجم 👩🏽 – “ok” <b>&";
  expect(plainText(text)).toBe(text);
});

test("cuts by characters, not in the middle of a pair or an escape", () => {
  expect(clip("abcdef", 6)).toBe("abcdef");
  expect(clip("abcdefg", 6)).toBe("abcde…");
  expect(clip("👍👍👍👍", 3)).toBe("👍👍…");
  expect(clip("x".repeat(1_000_000), 5)).toBe("xxxx…");
});

test("JSON keeps its data and loses its power", () => {
  const value = { [`k${ESC}[31m`]: ["\u009b31m\u202e", "a\nb", "\u{e0041}", "大"] };
  const text = plainJson(value);
  expect(JSON.parse(text)).toEqual(value);
  expect(text).toBe('{"k\\u001b[31m":["\\u009b31m\\u202e","a\\nb","\\udb40\\udc41","大"]}');
  expect(JSON.parse(plainJson(value, 2))).toEqual(value);
});

test("at the door colours pass and nothing else", () => {
  expect(terminalSafe(`${ESC}[31mred${ESC}[39m`)).toBe(`${ESC}[31mred${ESC}[39m`);
  expect(terminalSafe(`${ESC}[2J${ESC}[H\n`)).toBe("\\x1b[2J\\x1b[H\\n");
});
