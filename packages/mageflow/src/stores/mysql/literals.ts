/**
 * Statements are sent as texts, with the values in them: several go in one journey, which the protocol for prepared ones does not do.
 * In a template `$1` stands for the first value, and so on.
 */

/** A value as it is written: a list or rows of values, made by the functions below. */
export class Literal {
  readonly sql: string;

  constructor(sql: string) {
    this.sql = sql;
  }
}

export type Value = string | number | boolean | null;

/** What stands for a place in a template. */
export type Parameter = Value | Literal;

/** Templates, cut at their places: texts and numbers of places by turns. */
const cut = new Map<string, readonly string[]>();

export function fill(template: string, parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return template;
  let parts = cut.get(template);
  if (parts === undefined) cut.set(template, (parts = template.split(/\$(\d+)/)));
  let sql = parts[0]!;
  for (let n = 1; n < parts.length; n += 2) sql += literal(parameters[Number(parts[n]) - 1]!) + parts[n + 1]!;
  return sql;
}

/** `('a', 'b')`, to be looked for with `IN`. Nothing is in an empty list. */
export function list(values: Iterable<Value>): Literal {
  const all = Array.from(values, literal).join(",");
  return new Literal(all === "" ? "(NULL)" : `(${all})`);
}

/** Characters of one list of rows: some thousand small ones. */
const LARGEST = 250_000;

/**
 * `('a', 1), ('b', 2)`, to be inserted; as many of these as there are too many rows for one. A row that is larger than that is alone.
 */
export function rows(all: Iterable<readonly Parameter[]>): Literal[] {
  const made: Literal[] = [];
  let sql = "";
  for (const row of all) {
    const next = `(${row.map(literal).join(",")})`;
    if (sql !== "" && sql.length + next.length > LARGEST) {
      made.push(new Literal(sql));
      sql = "";
    }
    sql += sql === "" ? next : `,${next}`;
  }
  if (sql !== "") made.push(new Literal(sql));
  return made;
}

function literal(value: Parameter): string {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "number":
      // What is no whole number would be read as something else.
      if (!Number.isSafeInteger(value)) throw new Error(`constraint: ${value} is no whole number`);
      return String(value);
    case "boolean":
      return value ? "1" : "0";
    default:
      return value === null ? "NULL" : value.sql;
  }
}

// oxlint-disable-next-line no-control-regex -- NUL is one of those that have a meaning of their own.
const SPECIAL = /[\0'\\]/;

/** As the session's SQL mode has it, in which a backslash escapes. */
function quoted(text: string): string {
  if (!SPECIAL.test(text)) return `'${text}'`;
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\0", "\\0")}'`;
}
