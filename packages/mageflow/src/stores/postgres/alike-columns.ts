import type { SignatureRecord } from "../../core/record.ts";
import { arrayOf, textArray } from "./arrays.ts";
import type { Column } from "./columns.ts";
import type { Parameter } from "./connection.ts";

/** Statements that there are at most, of all kinds: each is prepared on every connection that uses it. Beyond it no column is alike. */
const MOST = 256;
let made = 0;

/** How a statement takes the values of many records in. */
interface Form {
  /** What stands for the value of a column, by its name. */
  readonly value: ReadonlyMap<string, string>;
  /** A row for each record: its id and the values that differ. */
  readonly rows: string;
}

/**
 * Statements that write many records at once. Most of what they write is alike, as their status is and their worker: such a column is one
 * parameter; of the others the values are an array, and `unnest` makes rows of them.
 */
export class AlikeColumns {
  readonly #columns: readonly Column[];
  readonly #statement: (form: Form) => string;
  readonly #statements = new Map<string, string>();

  /** Of these columns, the id not among them. */
  constructor(columns: readonly Column[], statement: (form: Form) => string) {
    this.#columns = columns;
    this.#statement = statement;
  }

  /** The statement for these records, and its parameters. */
  for(records: readonly SignatureRecord[]): [sql: string, ...parameters: Parameter[]] {
    const parameters: Parameter[] = [textArray(records.map(({ id }) => id))];
    let alike = "";
    const values = this.#columns.map(({ of }) => records.map(of));
    for (const each of values) alike += isAlike(each) ? "1" : "0";
    if (made >= MOST && !this.#statements.has(alike)) alike = "0".repeat(values.length);
    for (const [n, { type }] of this.#columns.entries())
      parameters.push(alike[n] === "1" ? values[n]![0]! : arrayOf(type, values[n]!));
    return [this.#sql(alike), ...parameters];
  }

  #sql(alike: string): string {
    let sql = this.#statements.get(alike);
    if (sql === undefined) {
      sql = this.#statement(formOf(this.#columns, alike));
      this.#statements.set(alike, sql);
      made++;
    }
    return sql;
  }
}

function formOf(columns: readonly Column[], alike: string): Form {
  const value = new Map<string, string>([["id", "given.id"]]);
  const arrays = ["$1::text[]"];
  const names = ["id"];
  for (const [n, { name, type }] of columns.entries()) {
    const parameter = `$${n + 2}::${type}`;
    if (alike[n] === "1") {
      value.set(name, parameter);
    } else {
      value.set(name, `given.${name}`);
      arrays.push(`${parameter}[]`);
      names.push(name);
    }
  }
  return { value, rows: `unnest(${arrays.join(", ")}) AS given (${names.join(", ")})` };
}

function isAlike(values: readonly unknown[]): boolean {
  const [first] = values;
  return values.every((value) => value === first);
}
