import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AnyPlan, MageFlow, MageFlowError } from "mageflow";
import type { Globals } from "./action.ts";
import { withoutPassword } from "./command-line.ts";
import { sayingWhenItEnds } from "./ended-while-loading.ts";
import { CommandError } from "./exit-codes.ts";
import { isSameStore } from "./open-store.ts";
import { clip } from "./plain-text.ts";
import { nearPath, userFrame } from "./user-frame.ts";

export interface Loaded {
  readonly mage: MageFlow;
  readonly plan: AnyPlan | null;
  /** Undefined when the module has none. */
  readonly message: unknown;
}

/** What Node says of an ES module that it took for CommonJS, and of CommonJS that it took for an ES module. */
const NO_MODULE =
  /^Cannot use import statement outside a module|^Unexpected token 'export'|^await is only valid in async functions|^require\(\) cannot be used on an ESM graph|^(require|module|exports) is not defined/;

const EXPECTED = "export a MageFlow as `mage`, and the plan to run as `plan` or default";

/**
 * Imports the file of a user. It exports `mage`, and for `run` a plan as `plan` or default; or, as its default, one object
 * `{ mage, plan, message }`.
 */
export async function loadModule(file: string, globals: Globals): Promise<Loaded> {
  const path = resolve(file);
  if (!existsSync(path) || !statSync(path).isFile()) {
    const what = existsSync(path) ? `${path} is not a file` : `there is no file ${path}`;
    throw new CommandError("FILE_NOT_FOUND", what, "give the path of a .ts, .js or .mjs file");
  }
  // A MageFlow that is made without a store takes this one.
  if (globals.store !== undefined) process.env["MAGEFLOW_STORE"] = globals.store;
  const module = await sayingWhenItEnds(path, globals, () => imported(path));
  const whole = module["default"];
  const bundle = isRecord(whole) && isMageFlow(whole["mage"]) ? whole : {};
  const mage = bundle["mage"] ?? module["mage"];
  if (!isMageFlow(mage)) {
    throw new CommandError("FILE_INVALID", noMage(path, module, mage), EXPECTED);
  }
  if (globals.store !== undefined) requireItsStore(mage, path, globals.store);
  const plan = bundle["plan"] ?? module["plan"] ?? (isPlan(whole) ? whole : null);
  if (plan !== null && !isPlan(plan)) {
    throw new CommandError(
      "FILE_INVALID",
      `the \`plan\` that ${path} exports is ${kindOf(plan)}, not a plan`,
      EXPECTED,
    );
  }
  return { mage, plan, message: bundle["message"] ?? module["message"] };
}

/** A module that names a store of its own takes no other; nobody is to think that it does. */
function requireItsStore({ store }: MageFlow, path: string, given: string): void {
  if (typeof store === "string" && isSameStore(store, given)) return;
  const name = typeof store === "string" ? withoutPassword(store) : store.name;
  throw new CommandError(
    "USAGE",
    `${path} names a store of its own, ${clip(name, 400)}, so that --store cannot name another`,
    "leave --store out, or take `store` out of what the module gives to its MageFlow",
  );
}

function noMage(path: string, module: Record<string, unknown>, mage: unknown): string {
  if (mage !== undefined) return `the \`mage\` that ${path} exports is ${kindOf(mage)}, not a MageFlow`;
  const names = Object.keys(module);
  const found = names.length === 0 ? "nothing" : names.map((name) => `\`${name}\``).join(", ");
  return `${path} does not export a MageFlow as \`mage\`; it exports ${found}`;
}

/** What somebody has exported instead, for a message: `null`, `a function`, `a Promise`, `an Object`. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const { name } = value.constructor ?? Object;
  const what = typeof value === "object" && name !== "" ? clip(name, 60) : typeof value;
  return `${/^[aeiou]/i.test(what) ? "an" : "a"} ${what}`;
}

/** @throws CommandError (`FILE_INVALID`) when the module has no plan. */
export function requirePlan({ plan }: Loaded, file: string): AnyPlan {
  if (plan !== null) return plan;
  throw new CommandError("FILE_INVALID", `${resolve(file)} exports a MageFlow, but no plan to run`, EXPECTED);
}

async function imported(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    throw await explained(path, error);
  }
}

/** Any error of an import, with the place in the user's code that is to be mended. */
async function explained(path: string, error: unknown): Promise<unknown> {
  const invalid = (message: string, hint: string): CommandError =>
    new CommandError("FILE_INVALID", message, hint, { cause: error });
  if (!(error instanceof Error)) {
    return invalid(`${path} threw ${String(error)} while it was loaded`, "mend the file and try again");
  }
  const code = "code" in error ? error.code : undefined;
  const [message = ""] = error.message.split("\n");
  if (NO_MODULE.test(message)) {
    const place = syntaxPlace(error.stack ?? "") ?? userFrame(error.stack) ?? path;
    return invalid(
      `${place}: ${message}`,
      'write it with import and export, and set "type": "module" in the nearest package.json or name the file .mts',
    );
  }
  if (code === "ERR_MODULE_NOT_FOUND" || code === "ERR_UNSUPPORTED_DIR_IMPORT") {
    return invalid(
      `${path} cannot be loaded: ${error.message}`,
      "install the package, or correct the import (with its file extension)",
    );
  }
  if (code === "ERR_UNKNOWN_FILE_EXTENSION" || code === "ERR_IMPORT_ATTRIBUTE_MISSING") {
    return invalid(`${path} cannot be loaded: ${error.message}`, "give a .ts, .mts, .js or .mjs file");
  }
  if (error instanceof SyntaxError) {
    const place = syntaxPlace(error.stack ?? "") ?? syntaxPlace(await checked(path));
    const strip = code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX";
    return invalid(
      `${place ?? path}: ${error.message}`,
      strip
        ? "types are stripped, not compiled: use no enums, namespaces or parameter properties"
        : "correct the syntax and try again",
    );
  }
  const place = userFrame(error.stack) ?? path;
  const hint = "mend the file and try again; --verbose shows the stack";
  if (isLibraryError(error))
    return new CommandError(error.code, `${place}: ${error.message}`, hint, { cause: error });
  return invalid(`${place}: ${error.name} while ${basename(path)} was loaded: ${error.message}`, hint);
}

/** True for a `MageFlowError`, also of another copy of the library. */
function isLibraryError(error: Error): error is MageFlowError {
  for (let at: unknown = Object.getPrototypeOf(error); isRecord(at); at = Object.getPrototypeOf(at)) {
    if ((at.constructor as { name?: string } | undefined)?.name === "MageFlowError") return true;
  }
  return false;
}

/** `file:line` from what Node prints above a syntax error. */
function syntaxPlace(text: string): string | null {
  const place = /^((?:file:\/\/)?\/\S.*:\d+)$/m.exec(text.split("\n", 1)[0] ?? "")?.[1] ?? null;
  return place === null ? null : nearPath(place);
}

/** What `node --check` says of a file: it knows the line, which the import does not tell. */
function checked(path: string): Promise<string> {
  return new Promise((done) => {
    execFile(process.execPath, ["--check", path], { timeout: 10_000 }, (_error, _out, said) => done(said));
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** By its shape: a user's module may load another copy of the library. */
function isMageFlow(value: unknown): value is MageFlow {
  return (
    isRecord(value) &&
    ["run", "worker", "get", "list", "close"].every((verb) => typeof value[verb] === "function")
  );
}

function isPlan(value: unknown): value is AnyPlan {
  return (
    isRecord(value) && isRecord(value["spec"]) && typeof value["options"] === "function" && "bound" in value
  );
}
