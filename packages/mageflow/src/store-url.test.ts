import { describe, expect, test } from "vitest";
import { requireStore, requireStoreUrl } from "./store-url.ts";
import { memoryStore } from "./stores/memory/memory-store.ts";

describe("a store url", () => {
  test.for([
    "memory:",
    ":memory:",
    "flows.db",
    "/var/lib/flows.db",
    "./odd:name/flows.db",
    "C:\\flows.db",
    "sqlite:flows.db",
    "sqlite:/var/lib/flows.db",
    "sqlite:///var/lib/flows.db",
    "sqlite::memory:",
    "file:flows.db",
    "sqlite:what?.db",
    "file:///var/lib/my%20flows.db",
    "postgres://user:secret@host/flows",
    "postgresql://host:5432/flows?schema=mine&sslmode=require",
    "postgres:///flows?host=/var/run/postgresql",
    "mysql://user:secret@host/flows",
    "mariadb://host:3306/flows?ssl=true",
  ])("names a place: %s", (url) => {
    expect(() => requireStoreUrl(url)).not.toThrow();
  });

  test.for([
    [
      "mongodb://user:secret@host/db",
      "UNSUPPORTED_STORE",
      'no store for "mongodb:"; use "sqlite:path", "postgres://host/database", "mysql://host/database" or "memory:"',
    ],
    ["redis:x", "UNSUPPORTED_STORE", "redis:"],
    ["libsql+http://x", "UNSUPPORTED_STORE", "libsql+http:"],
    ["SQLITE:x", "UNSUPPORTED_STORE", '"sqlite:path"'],
    [
      "",
      "INVALID_ARGUMENT",
      'store is ""; give a path, "sqlite:path", "postgres://host/database", "mysql://host/database", "memory:", or a store',
    ],
    [" ", "INVALID_ARGUMENT", 'store is " "; give a path'],
    ["sqlite:", "INVALID_ARGUMENT", "give a path"],
    ["sqlite: ", "INVALID_ARGUMENT", "give a path"],
    ["file: ", "INVALID_ARGUMENT", "give a path"],
    ["file:flows.db?mode=memory", "INVALID_ARGUMENT", '"memory:" is a store in memory'],
    ["file:///var/lib/flows.db?mode=ro", "INVALID_ARGUMENT", "without parameters"],
    ["sqlite://", "INVALID_ARGUMENT", "give a path"],
    ["sqlite:///", "INVALID_ARGUMENT", "give a path"],
    ["postgres:", "INVALID_ARGUMENT", "postgres://user@host:5432/database"],
    ["postgres://user:secret@host", "INVALID_ARGUMENT", "names no PostgreSQL database"],
    ["postgres://user:secret@host:port/db", "INVALID_ARGUMENT", "names no PostgreSQL database"],
    ["mysql:", "INVALID_ARGUMENT", "mysql://user@host:3306/database"],
    ["mysql://user:secret@host", "INVALID_ARGUMENT", "names no MySQL database"],
    ["mariadb://user:secret@host:port/db", "INVALID_ARGUMENT", "names no MySQL database"],
    ["mysql:///flows", "INVALID_ARGUMENT", "names no MySQL database"],
    ["file:", "INVALID_ARGUMENT", "give a path"],
    ["file://host/x", "INVALID_ARGUMENT", "file:///var"],
    ["memory:x", "INVALID_ARGUMENT", "memory:"],
    ["sqlite://x/y.db", "INVALID_ARGUMENT", 'use "sqlite:x/y.db" for a path from here, or "sqlite:/x/y.db"'],
  ] as const)("is refused with what to do: %s", ([url, code, message]) => {
    expect(() => requireStoreUrl(url)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
    expect(() => requireStoreUrl(url)).not.toThrow("secret");
  });

  test("may be a store instead, and nothing else", () => {
    const store = memoryStore();
    expect(requireStore(store)).toBe(store);
    for (const wrong of [5, {}, () => store, true])
      expect(() => requireStore(wrong)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});
