import { expect, test } from "vitest";
import { locate } from "./location.ts";

test("a URL says where to go, and its name says nothing secret", () => {
  expect(locate("postgres://somebody:secret@host:5433/flows?schema=mine&sslmode=verify-full")).toEqual({
    url: "postgres://somebody:secret@host:5433/flows?sslmode=verify-full",
    schema: "mine",
    name: "PostgreSQL at host:5433/flows, schema mine",
  });
  expect(locate("postgresql:///flows?host=/run/postgresql&user=me")).toMatchObject({
    schema: "mageflow",
    name: "PostgreSQL at /run/postgresql/flows, schema mageflow",
  });
});

test.for([
  "mysql://host/flows",
  "postgres://host:port/flows",
  "postgres://host/flows?schema=No%20Name",
  "postgres://host/flows?shema=mine",
  "postgres://host/flows?sslmode=require&channel_binding=require",
  "postgres://host/flows?statement_timeout=0",
])("what cannot be used is refused: %s", (url) => {
  expect(() => locate(url)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});
