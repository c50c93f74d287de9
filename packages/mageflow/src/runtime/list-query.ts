import { MageFlowError } from "../core/errors.ts";
import { type Role, ROLES } from "../core/ids.ts";
import { misgiven, type OptionNames } from "../core/known-options.ts";
import { type Kind, KINDS } from "../core/plan.ts";
import type { SignatureRecord } from "../core/record.ts";
import { type Status, STATUSES } from "../core/status.ts";
import type { ListQuery } from "../ports/store.ts";
import { flag, someOf, text, texts } from "./filter-arguments.ts";
import { MOST_ROWS, readCursor, readLimit } from "./page-arguments.ts";

export interface ListFilter {
  status?: Status | readonly Status[];
  kind?: Kind | readonly Kind[];
  name?: string | readonly string[];
  role?: Role | readonly Role[];
  /** Workflows whose root has this tag. */
  tag?: string;
  /** Only workflows that are marked for deletion, or only what is not. */
  marked?: boolean;
  /** Only what belongs to the workflow of this root; with `roots: false`. */
  root?: string;
  /** Only roots. Default true. */
  roots?: boolean;
  /** `next` of the page before. */
  cursor?: string;
  /** Default 100, at most 500. */
  limit?: number;
}

const FILTERS: OptionNames<ListFilter> = {
  status: true,
  kind: true,
  name: true,
  role: true,
  tag: true,
  marked: true,
  root: true,
  roots: true,
  cursor: true,
  limit: true,
};

/** What a store is asked for a list. @throws MageFlowError (`INVALID_ARGUMENT`) for a filter that cannot be meant. */
export function listQuery(filter: ListFilter): ListQuery {
  const wrong = misgiven(filter, FILTERS, "a list");
  if (wrong !== null) throw new MageFlowError("INVALID_ARGUMENT", wrong);
  const { status, kind, name, role, tag, marked, root, roots, cursor, limit } = filter;
  return {
    roots: roots === undefined || flag("roots", roots),
    ...(status === undefined ? {} : { statuses: someOf("status", status, STATUSES) }),
    ...(kind === undefined ? {} : { kinds: someOf("kind", kind, KINDS) }),
    ...(name === undefined ? {} : { names: texts("name", name) }),
    ...(role === undefined ? {} : { roles: someOf("role", role, ROLES) }),
    ...(tag === undefined ? {} : { tag: text("tag", tag) }),
    ...(marked === undefined ? {} : { marked: flag("marked", marked) }),
    ...(root === undefined ? {} : { rootId: text("root", root) }),
    after: readCursor(cursor, position),
    limit: readLimit(limit, MOST_ROWS),
  };
}

/** The cursor that goes on after this record. */
export function listCursor({ createdAt, id }: SignatureRecord): string {
  return `${createdAt} ${id}`;
}

function position(cursor: string): ListQuery["after"] {
  const [, instant, id] = /^(-?\d{1,16}) (.+)$/s.exec(cursor) ?? [];
  const createdAt = Number(instant);
  return id === undefined || !Number.isSafeInteger(createdAt) ? null : { createdAt, id };
}
