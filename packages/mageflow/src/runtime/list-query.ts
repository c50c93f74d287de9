import { type Role, ROLES } from "../core/ids.ts";
import { type OptionNames, requireArguments } from "../core/known-options.ts";
import { type Kind, KINDS } from "../core/plan.ts";
import type { SignatureRecord } from "../core/record.ts";
import { type Status, STATUSES } from "../core/status.ts";
import type { ListQuery } from "../ports/store.ts";
import { flag, someOf, text, texts } from "./filter-arguments.ts";
import { MOST_ROWS, readCursor, readLimit } from "./page-arguments.ts";

/** What workflows are chosen by. */
export interface WorkflowFilter {
  status?: Status | readonly Status[];
  kind?: Kind | readonly Kind[];
  name?: string | readonly string[];
  /** Workflows whose root has this tag. */
  tag?: string;
  /** Only workflows that are marked for deletion, or only what is not. */
  marked?: boolean;
}

export interface ListFilter extends WorkflowFilter {
  role?: Role | readonly Role[];
  /** Only what belongs to the workflow of this root; with `roots: false`. */
  root?: string;
  /** Only roots. Default true. */
  roots?: boolean;
  /** `next` of the page before. */
  cursor?: string;
  /** Default 100, at most 500. */
  limit?: number;
}

const WORKFLOWS: OptionNames<WorkflowFilter> = {
  status: true,
  kind: true,
  name: true,
  tag: true,
  marked: true,
};

const FILTERS: OptionNames<ListFilter> = {
  ...WORKFLOWS,
  role: true,
  root: true,
  roots: true,
  cursor: true,
  limit: true,
};

/** What a store is asked for a list. @throws MageFlowError (`INVALID_ARGUMENT`) for a filter that cannot be meant. */
export function listQuery(filter: ListFilter): ListQuery {
  requireArguments(filter, FILTERS, "a list");
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

/** All workflows that fit: nothing that pages them. @throws MageFlowError (`INVALID_ARGUMENT`) for a filter that cannot be meant. */
export function requireWorkflows(filter: unknown): void {
  requireArguments(filter, WORKFLOWS, "a choice of workflows");
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
